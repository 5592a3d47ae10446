// A loop by hand around fetch: the same wait every time, whatever the service says.
const url = `${process.env.BROWNOUT_URL}/orders`;

for (let attempt = 1; ; attempt += 1) {
  const ended = await fetch(url).then(async (answer) => [answer.ok, await answer.text()], () => [false]);
  if (ended[0]) break;
  if (attempt === 4) {
    console.error("gave up");
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
