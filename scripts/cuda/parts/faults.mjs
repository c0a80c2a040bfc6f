// Faults that must be reported clearly, each scenario in its own process, which has to end by itself.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { scenarios } from '../faults.mjs';
import { check, data, done, notRun, order, progress, secondsLeft } from '../part.mjs';

const { device } = order;
const program = fileURLToPath(new URL('../fault-run.mjs', import.meta.url));

/** A scenario that takes longer hangs. */
const mostSeconds = 90;

for (const [name, { title, needsGpu }] of Object.entries(scenarios)) {
  progress(title);
  if (needsGpu && device === 'cpu') notRun(`faults: ${title}`, 'there is no GPU');
  else await run(name, title);
}
done();

async function run(name, title) {
  const seconds = Math.max(5, Math.min(mostSeconds, secondsLeft() - 5));
  const { status, signal, stdout, stderr, isLate } = await ended(name, seconds);
  const how = isLate ? `it ran for ${seconds} s and was ended` : `it ended by ${signal ?? `status ${status}`}`;
  const found = parsed(stdout);
  data(name, { found, status, signal });
  const wrong = found.filter(({ passed }) => !passed).map((one) => `${one.name}: ${one.detail}`);
  if (found.length === 0)
    wrong.push(`the process did not tell what it found: ${`${stdout}${stderr}`.trim().slice(-2000)}`);
  if (status !== 0) wrong.push(`the process has to end by itself, but ${how}`);
  const ok = wrong.length === 0;
  check(title, ok, ok ? `${found.length} things held, and the process ended by itself` : wrong.join('\n'));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

function ended(name, seconds) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', program, name, device], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output[stream] += text;
      });
    }
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, isLate, ...output });
    });
  });
}
