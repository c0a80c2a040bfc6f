// A peer's process: a request is a line of words between tabs, an answer a line of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * The environment of every peer. Threads that wait by spinning would take the processors from the peer whose turn it
 * is, so they sleep, in every peer alike.
 */
const environment = { OMP_WAIT_POLICY: 'PASSIVE', PYTHONDONTWRITEBYTECODE: '1' };

export class PeerProcess {
  #child;
  #waiting;
  #errors = '';
  #ended;

  constructor({ command, args }) {
    this.#child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    // The end of a peer is noticed by its exit; writes to it may fail before that.
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answer(read(line)));
    this.#ended = new Promise((resolve) => {
      const end = (how) => {
        this.#answer({ error: `the peer's process ended (${how})\n${this.#errors.trim()}` });
        resolve();
      };
      this.#child.on('error', (error) => end(error.message));
      this.#child.on('close', (status, signal) => end(signal ?? `status ${status}`));
    });
  }

  /** Sends a request and waits for its answer. */
  ask(...words) {
    if (this.#waiting) throw new Error('the peer has not answered the last request yet');
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return Promise.reject(new Error(`the peer has ended\n${this.#errors.trim()}`));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${words.join('\t')}\n`);
    });
  }

  /** Ends the process, and waits until it has. */
  async stop() {
    this.#child.stdin.end();
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ended;
    clearTimeout(deadline);
  }

  #answer(answer) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (answer.error !== undefined) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer);
  }
}

/** An answer; a line that is none is a failure of its own. Python writes a NaN so. */
function read(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { error: `the peer answered ${line.slice(0, 200)}` };
  }
}

/** A running peer's answer; its failure names the peer. */
export async function asked(peer, ...words) {
  try {
    return await peer.process.ask(...words);
  } catch (error) {
    throw new Error(`${peer.id}, asked to ${words.slice(0, 3).join(' ')}: ${error.message}`);
  }
}

/** The words of the request that loads a case. */
export function loadRequest(kase, inputs) {
  return ['load', kase.loss, kase.dtype, ...inputs.flatMap(({ path, dtype, shape }) => [path, dtype, shape.join('x')])];
}
