// One scenario of faults.mjs in its own process; prints its findings as a line of JSON.
//
//   node fault-run.mjs <scenario> <device>
import { scenarios } from './faults.mjs';

const [scenario, device] = process.argv.slice(2);
const found = [];
await scenarios[scenario].run(device, (name, passed, detail) => {
  found.push({ name, passed, detail: passed ? undefined : detail });
});
console.log(JSON.stringify(found));
