/** `libtorch-losses evaluate --plugin`: losses of users from the command line. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as torch from 'libtorch-losses';
import { npy } from '../../support/arrays';
import { dist } from '../../support/child';

jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plugin-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(dist, '..'), join(folder, 'node_modules', 'libtorch-losses'));
  const define = (name: string): string =>
    `defineLoss({ name: '${name}', arguments: ['input', 'target'], options: { power: 2 },
      losses: ({ input, target, power }) => input.sub(target).abs().pow(power) })`;
  const files = {
    'losses.mjs': `import { defineLoss } from 'libtorch-losses';
      export const powerLoss = ${define('powerLoss')}; export const unrelated = 1;`,
    'losses.cjs': `const { defineLoss } = require('libtorch-losses'); module.exports = [${define('otherLoss')}];`,
    'taken.mjs': `import { defineLoss } from 'libtorch-losses'; export default ${define('mseLoss')};`,
    'empty.mjs': 'export const a = 1;',
    'throws.mjs': "throw new Error('broken');",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'x.npy'), npy({ kind: 'f4', shape: [4], values: [1, 2, 3, 4] }));
  writeFileSync(join(folder, 'y.npy'), npy({ kind: 'f4', shape: [4], values: [0, 0, 0, 1] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function evaluate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [
    join(dist, 'cli', 'main.js'),
    'evaluate',
    '--input',
    'x.npy',
    '--target',
    'y.npy',
    '--quiet',
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', cwd: folder });
  return { status, stdout, stderr };
}

test.each([
  ['an ES module', 'losses.mjs', 'power', []],
  ['a CommonJS module', 'losses.cjs', 'other-loss', []],
  ['an option', 'losses.mjs', 'powerLoss', ['--option', 'power=3']],
])('a loss of %s', (_what, plugin, loss, options) => {
  const power = options.length > 0 ? 3 : 2;
  const expected = torch.tensor([1, 2, 3, 3]).pow(power).mean().item();
  expect(evaluate('--plugin', plugin, '--loss', loss, ...options)).toEqual({
    status: 0,
    stdout: `${expected}\n`,
    stderr: '',
  });
});

test('several plugins, and the losses of the library beside them', () => {
  const plugins = ['--plugin', 'losses.mjs', '--plugin', './losses.cjs'];
  expect(evaluate(...plugins, '--loss', 'mse').stdout).toBe(evaluate('--loss', 'mse').stdout);
  expect(evaluate(...plugins, '--loss', 'powerLos').stderr).toContain("did you mean 'powerLoss'?");
});

test.each([
  ['a file that is missing', 'missing.mjs', "expected '--plugin' to be a file that exists"],
  ['a module that throws', 'throws.mjs', 'Error: broken'],
  ['a module without losses', 'empty.mjs', 'which exports a'],
  ['a name that is taken', 'taken.mjs', 'a second mseLoss'],
])('%s is refused', (_what, plugin, words) => {
  const { status, stdout, stderr } = evaluate('--plugin', plugin, '--loss', 'mse');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(words);
});
