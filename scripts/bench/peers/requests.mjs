// How a peer is spoken to: a request is a line of words between tabs, an answer a line of JSON.
import { createInterface } from 'node:readline';

/** Answers requests by name until the input ends. */
export function answerRequests(requests) {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [name, ...words] = line.split('\t');
    let answer;
    try {
      answer = requests[name](...words);
    } catch (error) {
      answer = { error: error.stack };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
}
