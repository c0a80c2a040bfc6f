// Runs a part in a process of its own, with a time limit: a crash or a hang of one leaves the others alone.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('parts', import.meta.url));

/** How long a process may need to end by itself once its part has said that it is done. */
const secondsToEnd = 30;

/**
 * Runs a part; returns `{ checks, notRun, tables, data, seconds, failure }`. `failure` says how it ended if not by
 * itself and well; `onProgress` receives its progress.
 */
export function runPart(name, order, { env, seconds, onProgress }) {
  const found = { checks: [], notRun: [], tables: [], data: {}, seconds: 0, failure: undefined };
  const start = performance.now();
  let place = 'it starts';
  let errors = '';
  let isDone = false;
  let isLate = false;
  return new Promise((resolve) => {
    const child = fork(join(folder, `${name}.mjs`), [JSON.stringify({ ...order, seconds })], {
      env,
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own process group: the processes that the part starts end with it.
      detached: true,
    });
    const end = () => {
      isLate = true;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    };
    let timer = setTimeout(end, seconds * 1000);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        errors = (errors + text).slice(-4000);
      });
    }
    const take = {
      progress: ({ text }) => {
        place = text;
        onProgress(text);
      },
      check: ({ name: what, passed, detail }) => found.checks.push({ name: what, passed, detail }),
      'not run': ({ name: what, why }) => found.notRun.push({ name: what, why }),
      table: ({ title, heading, rows }) => found.tables.push({ title, heading, rows }),
      data: ({ name: what, value }) => {
        found.data[what] = value;
      },
      done: () => {
        isDone = true;
        place = 'all was done';
        clearTimeout(timer);
        timer = setTimeout(end, secondsToEnd * 1000);
      },
    };
    child.on('message', (message) => take[message.kind](message));
    child.on('error', (error) => {
      errors += error.message;
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      found.seconds = (performance.now() - start) / 1000;
      if (!isDone || isLate || status !== 0) {
        const how = isLate ? 'it was ended: its time was up' : `it ended by ${signal ?? `status ${status}`}`;
        found.failure = { how, place, output: errors.trim() };
      }
      resolve(found);
    });
  });
}
