/** The scripts behind `npm run setup` and `npm test`, in a small project whose tools are stand-ins. */
import { FakeCheckout, type ScriptEnd } from '../support/fake-checkout';
import { describeWhere } from '../support/where';

let ready: FakeCheckout;
let checkout: FakeCheckout;

jest.setTimeout(30_000);

beforeAll(() => {
  ready = new FakeCheckout();
  expect(ready.run('setup.mjs')).toMatchObject({ status: 0, calls: everything });
});

afterAll(() => {
  ready.dispose();
});

beforeEach(() => {
  checkout = new FakeCheckout();
});

afterEach(() => {
  checkout.dispose();
});

const everything = ['npm ci', 'tsc lib', 'tsc examples', 'install', 'native libtorch'];

function setUp(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ScriptEnd {
  return checkout.run('setup.mjs', args, env);
}

/** Takes a project where all is done already. */
function prepared(): void {
  checkout.dispose();
  checkout = new FakeCheckout(ready);
}

describe('setup', () => {
  test('prepares a fresh clone, with a line and a time for each step', () => {
    const { status, stdout, stderr, calls } = setUp();
    expect({ status, stderr, calls }).toEqual({ status: 0, stderr: '', calls: everything });
    expect(stdout.replaceAll(/\d+\.\d s$/gm, 'T')).toBe(
      [
        '· npm ci: no node_modules yet, installing …',
        '✔ npm ci: installed · T',
        '✔ types of operators: 4 files written to lib · T',
        '· TypeScript: compiling lib/ …',
        '✔ TypeScript: 7 files compiled to dist/ · T',
        '· examples: compiling examples/ …',
        '✔ examples: 1 files compiled to build/examples/ · T',
        '· libtorch: none found, installing …',
        'downloading',
        '✔ libtorch: installed in libtorch · T',
        '· native addon: compiling …',
        '✔ native addon: built · T',
        '✔ ready · libtorch 2.13.0+cpu (cpu, found by cache) · T',
        '',
      ].join('\n'),
    );
  });

  test('does nothing where all is up to date, and says so in one line', () => {
    prepared();
    const { status, stdout, calls } = setUp();
    expect({ status, calls }).toEqual({ status: 0, calls: [] });
    expect(stdout).toMatch(/^✔ up to date · libtorch 2\.13\.0\+cpu \(cpu, found by cache\) · \d+\.\d s\n$/);
  });

  test.each([
    ['a source', 'lib/old.ts', ['tsc lib', 'tsc examples']],
    ['an example', 'examples/first.ts', ['tsc examples']],
    ['the compiler options', 'tsconfig.json', ['tsc lib', 'tsc examples']],
  ])('compiles again after a change of %s', (_, file, calls) => {
    prepared();
    checkout.write(file, '// changed');
    expect(setUp()).toMatchObject({ status: 0, calls });
    expect(setUp().calls).toEqual([]);
  });

  test('removes what a deleted source was compiled to', () => {
    prepared();
    checkout.remove('lib/old.ts');
    setUp();
    expect(checkout.has('dist/old.js')).toBe(false);
    expect(checkout.has('dist/binding/locate.js')).toBe(true);
  });

  test('compiles again if what was compiled is gone', () => {
    prepared();
    checkout.remove('dist');
    expect(setUp().calls).toEqual(['tsc lib']);
  });

  test('builds again if it is told to', () => {
    prepared();
    expect(setUp(['--force-build']).calls).toEqual(['tsc lib', 'tsc examples', 'native libtorch']);
  });

  test('refuses other arguments', () => {
    expect(setUp(['--force'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--force-build'),
      calls: [],
    });
  });
});

describe('npm packages', () => {
  const lock = (packages: object): string => JSON.stringify({ packages });
  const typescript = { 'node_modules/typescript': { version: '7.0.2' } };

  test.each([
    ['a version changed', { 'node_modules/typescript': { version: '7.0.3' } }, 'node_modules/typescript'],
    ['a package was added', { ...typescript, 'node_modules/new': { version: '1.0.0' } }, 'node_modules/new is missing'],
    [
      'an optional package for this system was added',
      {
        ...typescript,
        'node_modules/b': { version: '1', optional: true, os: [process.platform], cpu: [process.arch] },
      },
      'node_modules/b is missing',
    ],
    ['a package was removed', {}, 'differs from package-lock.json (node_modules/typescript)'],
  ])('are installed again if %s', (_, packages, why) => {
    prepared();
    checkout.write('package-lock.json', lock(packages));
    const { calls, stdout } = setUp();
    expect(calls[0]).toBe('npm ci');
    expect(stdout).toContain(why);
  });

  test('are installed again if an install was interrupted', () => {
    prepared();
    checkout.remove('node_modules/.package-lock.json');
    expect(setUp().calls).toEqual(['npm ci']);
  });

  test('are left alone if someone else installed them', () => {
    prepared();
    checkout.remove('build');
    expect(setUp().calls).not.toContain('npm ci');
  });

  test('that cannot be installed end the set-up, with what npm said and what to do', () => {
    checkout.write('npm-fails', 'npm error network');
    const { status, stderr, calls } = setUp();
    expect({ status, calls }).toEqual({ status: 1, calls: ['npm ci'] });
    expect(stderr).toMatch(
      /^✘ npm ci failed · \d\.\d s\n {2}npm error network\nnode .*npm-cli\.js ci .* ended with status 1/,
    );
    expect(stderr).toContain('check that the npm registry can be reached');
  });

  test('of other platforms may be missing from the registry', () => {
    checkout.write('npm-fails', 'npm error Missing: @esbuild/plan9-mips@ from lock file');
    expect(setUp()).toMatchObject({ status: 0, calls: ['npm ci', 'npm install', ...everything.slice(1)] });
  });

  test('that do not fit their lock file need an npm install by hand', () => {
    checkout.write('npm-fails', 'npm error your package.json and package-lock.json are not in sync. Missing: x@1.0.0');
    expect(setUp().stderr).toContain('package.json and package-lock.json differ: run npm install');
  });

  test('that print a lot before they fail show beginning and end', () => {
    checkout.write('npm-fails', Array.from({ length: 100 }, (_, i) => `line ${i + 1}`).join('\n'));
    const { stderr } = setUp();
    expect(stderr).toContain('  line 12\n  … 58 more lines …\n  line 71\n');
    expect(stderr).toContain('  line 100\n');
  });
});

test('a compilation that fails is shown and tried again', () => {
  checkout.write('tsc-fails', '');
  expect(setUp()).toMatchObject({ status: 1, stderr: expect.stringContaining('lib/x.ts(1,1): error TS1: wrong') });
  checkout.remove('tsc-fails');
  expect(setUp().calls).toEqual(everything.slice(1));
});

test('a LIBTORCH that cannot be used is an error, not a reason to install another', () => {
  const { status, stderr, calls } = setUp([], { LIBTORCH: '/nowhere' });
  expect(status).toBe(1);
  expect(stderr).toContain('LIBTORCH is unusable');
  expect(stderr).not.toContain('    at ');
  expect(calls).not.toContain('install');
});

describeWhere(process.platform !== 'win32', 'compilers that are programs for sh')('a native build that fails', () => {
  beforeEach(() => checkout.write('native-fails', ''));

  test.each([
    ['all is missing', [], 'cmake, a C++20 compiler, make or ninja missing: '],
    ['cmake is missing', ['c++', 'make'], 'cmake missing: '],
    ['the compiler is missing', ['cmake', 'ninja'], 'a C++20 compiler missing: '],
  ])('names what to install if %s', (_, programs, message) => {
    const { status, stderr } = setUp([], { PATH: checkout.pathWith(...programs), CXX: '' });
    expect(status).toBe(1);
    expect(stderr).toContain('bridge.cc:1: error');
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/apt-get install cmake g\+\+ make|brew install cmake/);
  });

  test('blames no tool if all are there', () => {
    const { stderr } = setUp([], { PATH: checkout.pathWith('cmake', 'g++', 'make'), CXX: '' });
    expect(stderr).toContain('cmake ended');
    expect(stderr).not.toContain('missing');
  });
});

describe('test', () => {
  beforeEach(prepared);

  const run = (...args: string[]): ScriptEnd => checkout.run('test.mjs', args);
  const lastLine = ({ stdout }: ScriptEnd): string | undefined => stdout.trimEnd().split('\n').at(-1);
  const results = (unit?: object, golden?: object, device?: object): void =>
    checkout.write('jest-results.json', JSON.stringify({ unit, golden, device }));

  test('runs all checks and ends with the sum of what jest counted', () => {
    const ended = run();
    expect(ended.status).toBe(0);
    expect(ended.calls.map((call) => call.split(' ').slice(0, 2).join(' '))).toEqual([
      'lint',
      'types',
      'jest unit',
      'jest golden',
      'jest device',
    ]);
    expect(lastLine(ended)).toBe('10 passed, 0 failed, 1 skipped');
  });

  test('pins no kernels: the configuration of the golden suite does', () => {
    const [, , unit, golden, device] = run().calls;
    expect(unit).toMatch(/^jest unit {2}/);
    expect(device).toMatch(/^jest device {2}/);
    expect(golden).toMatch(/^jest golden {2}.* --config test\/golden\/jest\.config\.js$/);
  });

  test('hands its arguments to jest, before options that take lists', () => {
    const { calls } = run('-t', 'label smoothing', 'test/unit');
    for (const call of calls.slice(2)) expect(call).toContain('-t label smoothing test/unit --json');
    expect(calls[2]).toContain('--passWithNoTests');
    expect(run().calls[2]).not.toContain('--passWithNoTests');
  });

  test.each(['lint-fails', 'types-fail'])('with %s runs the rest and fails', (file) => {
    checkout.write(file, '');
    const ended = run();
    expect(ended.status).toBe(1);
    expect(ended.calls).toHaveLength(5);
    expect(lastLine(ended)).toBe('10 passed, 0 failed, 1 skipped');
    expect(ended.stdout).toMatch(/^failed: (format and lint|types)$/m);
  });

  test.each([
    ['a test', { numPassedTests: 4, numFailedTests: 1 }, '9 passed, 1 failed, 0 skipped'],
    ['a suite that cannot start', { numPassedTests: 4, numRuntimeErrorTestSuites: 1 }, '9 passed, 1 failed, 0 skipped'],
    ['jest itself', undefined, '5 passed, 1 failed, 0 skipped'],
  ])('fails if %s fails', (_, unit, line) => {
    results(unit, { numPassedTests: 2 }, { numPassedTests: 3 });
    const ended = run();
    expect(ended.status).toBe(1);
    expect(lastLine(ended)).toBe(line);
  });

  test('counts no result of an earlier run', () => {
    run();
    results();
    expect(lastLine(run())).toBe('0 passed, 3 failed, 0 skipped');
  });
});
