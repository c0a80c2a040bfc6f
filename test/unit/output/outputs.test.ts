/** The files that commands write: whole or not at all, and never in place of what they must not touch. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { Outputs } from '../../../lib/output/outputs';
import { isAbandoned, processTag } from '../../../lib/output/process-tag';
import { folder } from '../../support/folder';
import { deadProcessTag } from '../../support/processes';
import { testWhere } from '../../support/where';

const here = folder('for each test');
const at = (name: string): string => join(here.path, name);
const onPosix = process.platform !== 'win32';
const isRoot = process.getuid?.() === 0;

let outputs: Outputs;
beforeEach(() => {
  outputs = new Outputs('evaluate');
});
afterEach(() => outputs.discard());

const open = (path: string, flag = "'--report'") => outputs.open(flag, path);

/** What refuses a path, as an error in the arguments that names the flag; nothing may be left. */
function refused(path: string, message: string | RegExp): void {
  const before = readdirSync(here.path).sort();
  expect(() => open(path)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(() => open(path)).toThrow(message);
  expect(readdirSync(here.path).sort()).toEqual(before);
}

describe('what is written', () => {
  test('has its name when all of it is there, and not before', () => {
    here.file('x', 'the old one');
    const [x, y] = [open(at('x')), open(at('y'))];
    x.write(Buffer.from('new'), 0);
    expect(y.write(Buffer.from('also'), 0)).toBe(4);
    expect(readFileSync(at('x'), 'utf8')).toBe('the old one');
    expect(existsSync(at('y'))).toBe(false);
    outputs.finish();
    expect(readdirSync(here.path).sort()).toEqual(['x', 'y']);
    expect([readFileSync(at('x'), 'utf8'), readFileSync(at('y'), 'utf8')]).toEqual(['new', 'also']);
    outputs.discard();
    expect(readdirSync(here.path).sort()).toEqual(['x', 'y']);
    expect(() => x.write(Buffer.from('more'), 0)).toThrow('a file that was finished or discarded');
  });

  test('is gone when it is discarded, and what was there stays', () => {
    here.file('x', 'the old one');
    open(at('x')).write(Buffer.from('new'), 0);
    outputs.discard();
    outputs.discard();
    expect(readdirSync(here.path)).toEqual(['x']);
    expect(readFileSync(at('x'), 'utf8')).toBe('the old one');
  });

  testWhere(onPosix, 'Windows has no modes of files')('keeps the mode of what it replaces', () => {
    chmodSync(here.file('x', 'secret'), 0o600);
    open(at('x'));
    outputs.finish();
    expect(statSync(at('x')).mode & 0o777).toBe(0o600);
  });

  test('of a name as long as names can be', () => {
    for (const name of ['n'.repeat(255), `${'ü'.repeat(127)}`]) {
      open(at(name)).write(Buffer.from('x'), 0);
      outputs.finish();
      expect(readdirSync(here.path)).toEqual([name]);
      rmSync(at(name));
    }
  });

  test('does not meet what others write to the same place', () => {
    const others = new Outputs('evaluate');
    const [one, other] = [open(at('x')), others.open("'--report'", at('x'))];
    one.write(Buffer.from('one'), 0);
    other.write(Buffer.from('other'), 0);
    outputs.finish();
    expect(readFileSync(at('x'), 'utf8')).toBe('one');
    others.finish();
    expect(readFileSync(at('x'), 'utf8')).toBe('other');
    expect(readdirSync(here.path)).toEqual(['x']);
  });

  test('is not given its name if another program has put something in its place', () => {
    const file = open(at('x'));
    file.write(Buffer.from('mine'), 0);
    const [partial] = readdirSync(here.path) as [string];
    rmSync(at(partial));
    here.file(partial, 'planted');
    expect(() => outputs.finish()).toThrow(
      `${at('x')}: cannot be written: another program has replaced what was written`,
    );
    outputs.discard();
    expect(readdirSync(here.path)).toEqual([partial]);
    expect(readFileSync(at(partial), 'utf8')).toBe('planted');
  });

  test('goes nowhere when its folder is gone', () => {
    mkdirSync(at('sub'));
    open(at('sub/x')).write(Buffer.from('x'), 0);
    renameSync(at('sub'), at('moved'));
    expect(() => outputs.finish()).toThrow(/x: cannot be written: /);
  });

  testWhere(process.platform === 'linux', 'prlimit belongs to Linux')('is an error beyond the limit of files', () => {
    const program = `
      const { Outputs } = require(${JSON.stringify(join(__dirname, '../../../dist/output/outputs.js'))});
      const outputs = new Outputs('evaluate');
      try {
        const file = outputs.open('x', ${JSON.stringify(at('x'))});
        for (let at = 0; at < 100; at++) file.write(Buffer.alloc(1000), at * 1000);
      } catch (error) { console.log(error.code, error.message); }
      outputs.discard();
    `;
    const { status, stdout } = spawnSync('prlimit', ['--fsize=4096', process.execPath, '-e', program], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `BAD_DATA ${at('x')}: cannot be written: EFBIG: file too large, write\n`,
    });
    expect(readdirSync(here.path)).toEqual([]);
  });
});

describe('what is in the way', () => {
  test('an input, by whatever name', () => {
    const input = here.file('input.npy', 'data');
    outputs.protect(input);
    outputs.protect(at('missing'));
    const another = "'--report' to be another file than those that are read";
    refused(input, another);
    refused(relative('.', input), another);
    refused(`${here.path}/./${'input.npy'}`, another);
    linkSync(input, at('hard'));
    refused(at('hard'), another);
    symlinkSync(here.path, `${here.path}/self`);
    refused(at('self/input.npy'), another);
  });

  test('an input that is named later', () => {
    const path = here.file('x', 'data');
    open(path);
    expect(() => outputs.protect(path)).toThrow('each output to be another file than those that are read');
  });

  test('another output, by whatever name', () => {
    symlinkSync(here.path, at('self'));
    linkSync(here.file('old', ''), at('older'));
    open(at('p'), "'--per-sample'");
    open(at('old'));
    for (const same of ['p', './p', 'self/p', 'P', 'older']) {
      expect(() => open(`${here.path}/${same}`)).toThrow('expected each output to be a file of its own');
    }
  });

  test('a link, also one that leads nowhere', () => {
    symlinkSync(here.file('target', 'x'), at('link'));
    symlinkSync(at('nowhere'), at('dangling'));
    refused(at('link'), "'--report' to be a file of its own, not a link");
    refused(at('dangling'), 'not a link');
  });

  testWhere(onPosix, 'Windows has no such files')('a device, a pipe', () => {
    execFileSync('mkfifo', [at('fifo')]);
    refused(at('fifo'), 'to be an ordinary file, not a device, a pipe or a socket');
    expect(() => open('/dev/null')).toThrow('not a device');
  });

  test('a folder', () => {
    mkdirSync(at('sub'));
    for (const path of ['sub', 'sub/', 'sub/.', 'sub/..']) {
      expect(() => open(`${here.path}/${path}`)).toThrow('to be a file, not a folder');
    }
    expect(() => open('')).toThrow("'--report' to be the path of a file");
    expect(() => open('a\0b')).toThrow("'--report' to be the path of a file");
  });

  test('a folder that does not exist, with how to make it', () => {
    refused(
      at('a/b/x'),
      new RegExp(`to be in an existing folder, but received .*: make it with mkdir -p "${at('a/b')}"`),
    );
    here.file('plain', '');
    refused(at('plain/x'), 'to be in a folder, but received');
  });

  testWhere(onPosix && !isRoot, 'root may write everywhere')('what may not be written to', () => {
    chmodSync(here.file('x', ''), 0o400);
    refused(at('x'), 'to be a file that may be written to');
    mkdirSync(at('sub'), { mode: 0o500 });
    expect(() => open(at('sub/y'))).toThrow(/y: cannot be written: EACCES/);
  });

  test('a link that was planted under the name that is written to', () => {
    // The name has twelve random digits: nobody knows it before.
    open(at('x'));
    const [name] = readdirSync(here.path) as [string];
    expect(name).toMatch(/^x\.partial-[\w.]+-\d+-\d+-[0-9a-f]{12}$/);
  });
});

describe('what dead processes left', () => {
  test('is taken away, and nothing else', () => {
    const left = `x.partial-${deadProcessTag()}-0123456789ab`;
    const kept = [
      `x.partial-${processTag()}-0123456789ab`,
      `y.partial-${deadProcessTag()}-0123456789ab`,
      `x.partial-${deadProcessTag()}`,
      'x.partial',
      `x.partial-another.machine-1-1-0123456789ab`,
    ];
    for (const name of [left, ...kept]) here.file(name, '');
    mkdirSync(at(`x.partial-${deadProcessTag()}-0123456789ac`));
    symlinkSync(at('x.partial'), at(`x.partial-${deadProcessTag()}-0123456789ad`));
    open(at('x'));
    outputs.discard();
    const there = readdirSync(here.path);
    expect(there).not.toContain(left);
    expect(there).toEqual(expect.arrayContaining(kept));
    expect(there.length).toBe(kept.length + 2);
  });

  test('of a process whose number another one has by now', () => {
    expect(isAbandoned(processTag(), 0)).toBe(false);
    expect(isAbandoned(deadProcessTag(), Date.now())).toBe(true);
    const before = processTag().replace(/\d+$/, (start) => String(Number(start) + 1));
    expect(isAbandoned(before, Date.now())).toBe(existsSync('/proc/self/stat'));
    const elsewhere = `${hostname().slice(0, 3)}.elsewhere-1-1`;
    expect(isAbandoned(elsewhere, Date.now())).toBe(false);
    expect(isAbandoned(elsewhere, Date.now() - 25 * 60 * 60 * 1000)).toBe(true);
  });

  testWhere(onPosix, 'Windows has no signals')('that was killed in the middle', () => {
    const program = `
      const { Outputs } = require(${JSON.stringify(join(__dirname, '../../../dist/output/outputs.js'))});
      new Outputs('evaluate').open('x', ${JSON.stringify(at('x'))}).write(Buffer.alloc(1000), 0);
      process.kill(process.pid, 'SIGKILL');
    `;
    expect(spawnSync(process.execPath, ['-e', program]).signal).toBe('SIGKILL');
    expect(readdirSync(here.path)).toEqual([expect.stringMatching(/^x\.partial-/)]);
    open(at('x'));
    outputs.finish();
    expect(readdirSync(here.path)).toEqual(['x']);
  });
});

testWhere(onPosix, 'descriptors of Windows are others')(
  'what standard output goes to is no place for an output',
  () => {
    writeFileSync(at('out'), '');
    const program = `
    const { Outputs } = require(${JSON.stringify(join(__dirname, '../../../dist/output/outputs.js'))});
    try { new Outputs('evaluate').open("'--report'", ${JSON.stringify(at('out'))}); }
    catch (error) { console.error(error.message); }
  `;
    const { stderr } = spawnSync('/bin/sh', ['-c', `exec "$0" -e "$1" > "$2"`, process.execPath, program, at('out')], {
      encoding: 'utf8',
    });
    expect(stderr).toContain("expected '--report' to be another file than that of standard output");
  },
);
