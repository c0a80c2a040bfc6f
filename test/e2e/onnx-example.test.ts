/**
 * The example that evaluates the outputs of onnxruntime runs and finds what one call of the loss finds. The runtime is
 * installed as the example's lock file has it; without a registry there is nothing to run, and the output says so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../examples/onnx');

function versionIn(path: string): string | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : undefined;
}

/** Installs what is missing; gives npm's words where it cannot. */
function install(): string | undefined {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const isInstalled = Object.entries(dependencies).every(
    ([name, version]) => versionIn(join(folder, 'node_modules', name, 'package.json')) === version,
  );
  if (isInstalled) return undefined;
  const { status, stderr, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 240_000,
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** What npm says where it reaches no registry. */
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

test('the scores of onnxruntime go into the evaluator as they are', () => {
  const problem = install();
  if (problem !== undefined && unreachable.test(problem)) {
    console.warn(`The example with onnxruntime did not run: npm reached no registry: ${problem.slice(0, 400)}`);
    return;
  }
  expect(problem).toBeUndefined();
  const printed = execFileSync(process.execPath, [join(folder, 'evaluate-batches.mjs')], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(printed.trimEnd().split('\n')).toEqual([
    'model: 2752 bytes',
    'loss of 797 digits: 0.3709, perplexity 1.4490',
    'accuracy 91.8 %, top 5 99.4 %',
    'as in one call: true',
  ]);
}, 300_000);
