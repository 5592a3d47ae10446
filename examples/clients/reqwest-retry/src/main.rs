//! reqwest with the retries of reqwest-retry: exponential, with jitter.

use std::time::Duration;

use reqwest_middleware::ClientBuilder;
use reqwest_retry::{Jitter, RetryTransientMiddleware, policies::ExponentialBackoff};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let backoff = ExponentialBackoff::builder()
        .retry_bounds(Duration::from_millis(200), Duration::from_secs(2))
        .jitter(Jitter::None)
        .build_with_max_retries(3);
    let retries = RetryTransientMiddleware::new_with_policy(backoff);
    let client = ClientBuilder::new(reqwest::Client::new()).with(retries).build();
    let url = std::env::var("BROWNOUT_URL").expect("BROWNOUT_URL says where the service is") + "/orders";
    match client.get(url).send().await {
        Ok(answer) if answer.status().is_success() => {}
        ended => {
            eprintln!("gave up: {ended:?}");
            std::process::exit(1);
        }
    }
}
