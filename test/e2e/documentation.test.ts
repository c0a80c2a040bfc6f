/**
 * Every code block of the documents runs, and prints what its comments say: a `console.log(…); // text` is followed in
 * the output by that text, further lines of it in comments below; so does Python's `print(…)  # text`, where a PyTorch is
 * there to run it. They run in one folder, so that a block may read what one before it wrote. Shell blocks name commands
 * that exist.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import { folder } from '../support/folder';
import { findPython } from '../support/live';

const root = resolve(__dirname, '../..');
// Inside the package, so that its own name resolves to dist/.
const compiled = join(root, 'build', 'documentation');

const here = folder();
const python = findPython();

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

beforeAll(() => {
  mkdirSync(join(here.path, 'node_modules'));
  symlinkSync(root, join(here.path, 'node_modules', 'libtorch-losses'), 'junction');
});

interface Block {
  language: string;
  line: number;
  code: string;
}

function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(join(root, document), 'utf8').split('\n');
  let open: Block | undefined;
  for (const [i, line] of lines.entries()) {
    const fence = /^\s*```(\w*)\s*$/.exec(line);
    if (fence === null) {
      if (open) open.code += `${line}\n`;
    } else if (open) {
      blocks.push(open);
      open = undefined;
    } else open = { language: fence[1] as string, line: i + 1, code: '' };
  }
  return blocks;
}

/** What the comments behind Python's `print` say. */
function expectedOfPython(code: string): string[] {
  return Array.from(code.matchAll(/^\s*print\(.*\) {2}# (.*)$/gm), ([, text]) => text as string);
}

/** What the comments behind `console.log` say, in the order of the code. */
function expectedOutput(code: string): string[] {
  const expected: string[] = [];
  let printing = false;
  for (const line of code.split('\n')) {
    const printed = /^\s*console\.log\(.*\); \/\/ (.*)$/.exec(line);
    const continued = /^\s*\/\/ (.*)$/.exec(line);
    if (printed !== null) expected.push(printed[1] as string);
    else if (printing && continued !== null) expected.push(continued[1] as string);
    printing = printed !== null || (printing && continued !== null);
  }
  return expected;
}

/** The text of a block as a module. */
function compile(code: string): string {
  return transformSync(code, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  }).code;
}

describe.each(documents)('%s', (document) => {
  const blocks = blocksOf(document);
  const programs = blocks.filter(({ language }) => language === 'ts');

  if (programs.length > 0) {
    test.each(programs)('the code at line $line runs and prints what it says', ({ code, line }) => {
      mkdirSync(compiled, { recursive: true });
      const file = join(compiled, `${document.replace(/\W/g, '-')}-${line}.mjs`);
      writeFileSync(file, compile(code));
      const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd: here.path, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const printed = stdout.trimEnd().split('\n');
      const expected = expectedOutput(code);
      // `0.4643…` stands for a number that begins so.
      const shortened = printed.map((text, i) => {
        const wanted = expected[i] ?? '';
        return wanted.endsWith('…') && text.startsWith(wanted.slice(0, -1)) ? wanted : text;
      });
      expect(shortened).toEqual(expected);
    });
  }

  const inPython = blocks.filter(({ language }) => language === 'python');

  if (inPython.length > 0 && 'unavailable' in python) {
    test(`its Python is not run: ${python.unavailable}`, () => {
      console.warn(`The Python of ${document} was not run: ${python.unavailable}.`);
    });
  } else if (inPython.length > 0 && 'command' in python) {
    const { command } = python;
    test.each(inPython)('the Python at line $line runs and prints what it says', ({ code }) => {
      const { stdout, stderr, status } = spawnSync(command, ['-c', code], { cwd: here.path, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.split('\n').slice(0, -1)).toEqual(expectedOfPython(code));
    });
  }

  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');

  if (commands.length > 0) {
    test.each(commands)('the command exists: %s', (command) => {
      expect(problemOf(command)).toBeUndefined();
    });
  }
});

/** Why a command of a document cannot be right; `undefined` where it can. */
function problemOf(command: string): string | undefined {
  const words = command.replace(/^(?:[A-Z_]+=\S+ )+/, '').split(/\s+/);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  if (words[0] === 'npm') {
    const script = words[1] === 'run' ? words[2] : words[1];
    return script !== undefined && (script in scripts || ['ci', 'install'].includes(script)) ? undefined : 'no script';
  }
  if (words[0] === 'npx' && words[1] === 'libtorch-losses') {
    return problemOfOptions([join(root, 'dist', 'cli', 'main.js'), words[2] ?? ''], words);
  }
  if (words[0] === 'scripts/cuda-check') return problemOfOptions([join(root, 'scripts', 'cuda', 'main.mjs')], words);
  if (['git', 'python3', 'node', 'export', 'torchrun'].includes(words[0] as string)) return undefined;
  return `neither npm nor npx: ${words[0]}`;
}

/** Options of a command that its `--help` does not have. */
function problemOfOptions(program: readonly string[], words: readonly string[]): string | undefined {
  const { status, stderr, stdout } = spawnSync(process.execPath, [...program, '--help'], { encoding: 'utf8' });
  const options = words.filter((word) => word.startsWith('--'));
  const unknown = options.filter((option) => !stdout.includes(option));
  return status !== 0 ? stderr : unknown.length > 0 ? `no option ${unknown.join(', ')}` : undefined;
}
