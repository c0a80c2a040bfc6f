/**
 * A small project around the real set-up scripts: its npm, compiler, libtorch and native build are scripts that note their
 * calls and do in a moment what the real ones do in minutes.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const scripts = join(__dirname, '../../scripts');

/** How a script ended. */
export interface ScriptEnd {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The stand-ins called during the run, in order: `npm ci`, `tsc lib`, … */
  calls: string[];
}

/** A project in a directory of its own. */
export class FakeCheckout {
  readonly root = mkdtempSync(join(tmpdir(), 'checkout-'));

  /** A new clone, or a copy of another checkout. */
  constructor(other?: FakeCheckout) {
    if (other !== undefined) {
      cpSync(other.root, this.root, { recursive: true });
      return;
    }
    for (const entry of ['setup.mjs', 'setup', 'test.mjs']) {
      cpSync(join(scripts, entry), this.path('scripts', entry), { recursive: true });
    }
    for (const [file, content] of Object.entries(standIns)) this.write(file, content);
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(file: string, content: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), content);
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  remove(file: string): void {
    rmSync(this.path(file), { recursive: true });
  }

  /** Runs one of the project's scripts with `env` added to the environment. */
  run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ScriptEnd {
    this.write('calls.log', '');
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.path('scripts', script), ...args], {
      cwd: this.root,
      encoding: 'utf8',
      env: { ...process.env, LIBTORCH: '', LIBTORCH_USE_PYTORCH: '', npm_execpath: this.path('npm-cli.js'), ...env },
    });
    const calls = readFileSync(this.path('calls.log'), 'utf8').split('\n').filter(Boolean);
    return { status, stdout, stderr, calls };
  }

  /** Puts a program on a `PATH` of its own; gives that `PATH`. */
  pathWith(...programs: string[]): string {
    for (const program of programs) {
      this.write(`bin/${program}`, '#!/bin/sh\n');
      chmodSync(this.path('bin', program), 0o755);
    }
    mkdirSync(this.path('bin'), { recursive: true });
    return this.path('bin');
  }

  dispose(): void {
    rmSync(this.root, { recursive: true });
  }
}

const note = `
const fs = require('node:fs'), path = require('node:path');
const note = (call) => fs.appendFileSync('calls.log', call + '\\n');
`;

const lock = JSON.stringify({
  packages: {
    '': { name: 'fake' },
    'node_modules/typescript': { version: '7.0.2' },
    'node_modules/for-another-system': { version: '1.0.0', optional: true, os: ['plan9'], cpu: ['mips'] },
  },
});

/** Where a file says how a stand-in is to fail, it does. */
const standIns: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "fake" }',
  'package-lock.json': lock,
  'tsconfig.json': '{}',
  'tsconfig.build.json': '{}',
  'tsconfig.examples.json': '{}',
  'lib/binding/locate.ts': `exports.locateLibtorch = () => {
    if (process.env.LIBTORCH) throw Object.assign(new Error('LIBTORCH is unusable'), { code: 'LIBTORCH_UNUSABLE' });
    if (!require('node:fs').existsSync('libtorch')) throw Object.assign(new Error('none'), { code: 'LIBTORCH_NOT_FOUND' });
    return { root: 'libtorch', version: '2.13.0+cpu', flavour: 'cpu', source: 'cache' };
  };`,
  'lib/cli/main.ts': `${note} note('install'); console.log('downloading'); fs.mkdirSync('libtorch');`,
  'lib/torch/ops/aten.schemas.txt': 'aten::relu(Tensor self) -> Tensor\n',
  'lib/torch/python.names.txt': '[torch]\nrelu\n\n[Tensor]\nrelu\n',
  'lib/nn/python.schemas.txt': '[functional]\nrelu(Tensor input, bool inplace=False) -> Tensor\n',
  'lib/old.ts': '',
  'examples/first.ts': '',
  'npm-cli.js': `${note}
    const args = process.argv.slice(2);
    note('npm ' + args[0]);
    const failure = fs.existsSync('npm-fails') && fs.readFileSync('npm-fails', 'utf8');
    if (failure && args[0] === 'ci') { console.error(failure); process.exit(1); }
    const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
    const { '': self, 'node_modules/for-another-system': other, ...installed } = packages;
    fs.cpSync('fake_modules', 'node_modules', { recursive: true });
    fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: installed }));`,
  'fake_modules/typescript/bin/tsc': `${note}
    if (process.argv.includes('--noEmit')) { note('types'); process.exit(fs.existsSync('types-fail') ? 1 : 0); }
    const [from, to] = process.argv.at(-1) === 'tsconfig.build.json' ? ['lib', 'dist'] : ['examples', 'build/examples'];
    note('tsc ' + from);
    if (fs.existsSync('tsc-fails')) { console.log(from + '/x.ts(1,1): error TS1: wrong'); process.exit(2); }
    for (const file of fs.readdirSync(from, { recursive: true }).filter((name) => name.endsWith('.ts'))) {
      const target = path.join(to, file.replace(/ts$/, 'js'));
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.copyFileSync(path.join(from, file), target);
    }`,
  'fake_modules/@biomejs/biome/bin/biome': `${note} note('lint'); process.exit(fs.existsSync('lint-fails') ? 1 : 0);`,
  'fake_modules/jest/bin/jest.js': `${note}
    const args = process.argv.slice(2);
    const config = args.includes('--config') ? args[args.indexOf('--config') + 1] : 'test/unit/jest.config.js';
    const suite = path.basename(path.dirname(config));
    note(['jest', suite, process.env.ATEN_CPU_CAPABILITY, ...args].join(' '));
    const result = JSON.parse(fs.readFileSync('jest-results.json', 'utf8'))[suite];
    if (result === undefined) process.exit(0);
    const whole = { numFailedTests: 0, numPassedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0 };
    fs.writeFileSync(args[args.indexOf('--outputFile') + 1], JSON.stringify({ ...whole, ...result }));
    process.exit(result.numFailedTests || result.numRuntimeErrorTestSuites ? 1 : 0);`,
  'jest-results.json': JSON.stringify({
    unit: { numPassedTests: 5, numPendingTests: 1 },
    golden: { numPassedTests: 2 },
    device: { numPassedTests: 3 },
  }),
  'scripts/format-cpp.mjs': '',
  'scripts/build.mjs': `
    import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
    export async function buildNative({ libtorch, force, announce }) {
      if (existsSync('built') && !force) return { built: false };
      appendFileSync('calls.log', 'native ' + libtorch.root + '\\n');
      announce('compiling …');
      if (existsSync('native-fails')) throw Object.assign(new Error('cmake ended'), { output: 'bridge.cc:1: error' });
      writeFileSync('built', '');
      return { built: true };
    }`,
};
