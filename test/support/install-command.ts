/**
 * `libtorch-losses install` in a process of its own, for each test with a cache, a `PATH` and, where it starts one, a wheel
 * index of its own. PyTorch's own index is not asked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownershipMark } from '../../lib/cli/install/ownership';
import { type FakePip, fakePip, type PipBehaviour } from './fake-pip';
import { type ServerChanges, startWheelServer, type WheelServer } from './wheel-server';
import { wheel, wheelName } from './wheels';

const program = join(__dirname, '../../dist/cli/main.js');

/** How a run ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The command, and what is around it in a test. */
export class InstallCommand {
  /** A directory of the test's own. */
  directory = '';
  server: WheelServer | undefined;
  private readonly running = new Set<ChildProcess>();

  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), 'install-'));
      // No Python here, so that wheels come from the index unless a test puts a pip there.
      mkdirSync(this.path);
    });
    afterEach(async () => {
      // What a test that failed left running.
      for (const child of this.running) child.kill('SIGKILL');
      await this.server?.close();
      this.server = undefined;
      rmSync(this.directory, { recursive: true });
    });
  }

  /** All that is on `PATH`. */
  get path(): string {
    return join(this.directory, 'bin');
  }

  get cache(): string {
    return join(this.directory, 'cache');
  }

  /** Starts the command line in an environment with changes. */
  startIn(changes: NodeJS.ProcessEnv, ...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    if (!existsSync(program)) throw new Error(`${program} is missing: run \`npm run setup\``);
    const env = {
      ...process.env,
      PATH: this.path,
      LIBTORCH_LOSSES_CACHE: this.cache,
      // A port that nothing listens to, where a test starts no server.
      LIBTORCH_LOSSES_WHEEL_INDEX: this.server?.address ?? 'http://127.0.0.1:9',
      ...changes,
    };
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.running.add(child);
    child.on('close', () => this.running.delete(child));
    const ended = new Promise<Ended>((resolve) => {
      const texts = { stdout: '', stderr: '' };
      child.stdout?.on('data', (chunk) => (texts.stdout += String(chunk)));
      child.stderr?.on('data', (chunk) => (texts.stderr += String(chunk)));
      child.on('close', (status) => resolve({ status, ...texts }));
    });
    return { child, ended };
  }

  run(...args: string[]): Promise<Ended> {
    return this.startIn({}, ...args).ended;
  }

  /** Starts a wheel index. */
  async serve(changes: ServerChanges = {}): Promise<WheelServer> {
    this.server = await startWheelServer(changes);
    return this.server;
  }

  /** Puts a Python with a pip on `PATH`. */
  usePip(behaviour: PipBehaviour, wheels: Record<string, Buffer> = { [wheelName()]: wheel() }): FakePip {
    return fakePip(this.path, behaviour, wheels);
  }

  /** Writes a file, and gives its path. */
  file(name: string, content: Buffer): string {
    writeFileSync(join(this.directory, name), content);
    return join(this.directory, name);
  }

  /** A file of the user, a month old, in a folder of theirs. */
  precious(...folders: string[]): string {
    const folder = join(this.directory, ...folders);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    const old = Date.now() / 1000 - 30 * 24 * 60 * 60;
    for (const path of [join(folder, 'thesis.txt'), folder]) utimesSync(path, old, old);
    return join(folder, 'thesis.txt');
  }

  /** The names in the cache. */
  cached(): string[] {
    return existsSync(this.cache) ? readdirSync(this.cache).sort() : [];
  }

  /** The names of what was downloaded, and waits. */
  downloads(): string[] {
    return readdirSync(join(this.cache, 'downloads')).filter((name) => name !== ownershipMark);
  }
}
