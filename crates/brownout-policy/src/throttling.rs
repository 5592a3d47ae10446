//! Answers that say in their body that there is too much of this caller, whatever their status.

/// Error codes that mean throttling. Source: botocore 1.44.5 (retries/standard.py), read 2026-11-21.
const CODES: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// How much of a body is looked at: an error names itself early.
const BYTES_MAX: usize = 4096;

/// Whether the `body` of a failure names a throttling error: one of the codes of the AWS services, as a whole word in quotes,
/// after a `#`, or as an XML element. DynamoDB, for one, throttles by a 400 whose `__type` says so.
///
/// ```
/// use brownout_policy::names_throttling;
///
/// assert!(names_throttling(r#"{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#));
/// assert!(!names_throttling(r#"{"__type": "com.amazonaws.dynamodb.v20120810#ValidationException"}"#));
/// ```
#[must_use]
pub fn names_throttling(body: &str) -> bool {
    let body = &body.as_bytes()[..body.len().min(BYTES_MAX)];
    let begins = |byte: &u8| b"\"#>".contains(byte);
    let rest = body.iter().enumerate().filter(|(_, byte)| begins(byte)).map(|(at, _)| &body[at + 1..]);
    let named = |rest: &[u8]| {
        let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
        (b"\"<:".contains(&rest[end]) && CODES.iter().any(|code| code.as_bytes() == &rest[..end])).then_some(())
    };
    rest.into_iter().any(|rest| named(rest).is_some())
}

#[cfg(test)]
mod tests {
    use super::names_throttling;
    use proptest::prelude::*;

    #[test]
    fn codes_are_whole_words_in_their_place() {
        for body in [
            r#"{"code":"SlowDown"}"#,
            "<Error><Code>SlowDown</Code></Error>",
            r#"{"__type":"a.b#Throttling:http://x"}"#,
        ] {
            assert!(names_throttling(body), "{body}");
        }
        for body in
            ["", "SlowDown", r#"{"code":"SlowDowns"}"#, r#"{"message":"Rate exceeded, SlowDown"}"#, "\"SlowDown"]
        {
            assert!(!names_throttling(body), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(body in ".*") {
            let _ = names_throttling(&body);
        }
    }
}
