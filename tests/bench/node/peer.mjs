/**
 * The cases of @digitalbazaar/vc, asked in the lines that tests/bench/lines.py speaks.
 *
 * CPU time is that of all threads: the garbage collector and the compiler work for the library too.
 */
import {createInterface} from 'node:readline';
import {implementation} from './digitalbazaar.mjs';

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const question = JSON.parse((await lines.next()).value);
const {issue, verify} = await implementation(question);
await prove();

const cases = {
  issue: over(issue, question.credentials),
  verify: over(verify, question.signed)
};
say({cases: Object.keys(cases)});
for await (const line of lines) {
  const {show, case: name, times} = JSON.parse(line);
  say(show ? {shown: await cases[show]()} : {seconds: await seconds(cases[name], times)});
}

function over(call, given) {
  let turn = 0;
  return () => call(given[turn++ % given.length]);
}

async function seconds(run, times) {
  const before = process.cpuUsage();
  for(let time = 0; time < times; ++time) {
    await run();
  }
  const {user, system} = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** It accepts what is signed and refuses what was changed, or what it does is no verification. */
async function prove() {
  await verify(question.signed[0]);
  const accepted = await verify(question.tampered).then(() => true, () => false);
  if(accepted) {
    throw new Error('a credential that was changed is accepted');
  }
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
