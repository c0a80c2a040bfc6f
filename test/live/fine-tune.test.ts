/** A model goes from Python to the example that fine-tunes it, and back, with a Python PyTorch on this machine. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from '../support/folder';
import { findPython } from '../support/live';

const root = join(__dirname, '../..');
const here = folder();

/** Whether two checkpoints and two files of weights are the same for Python: names, dtypes, shapes and bits. */
const compare = `
import sys, torch
from safetensors.torch import load_file

def bits(value):
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().flatten().view(torch.uint8).tolist()
    if isinstance(value, dict):
        return {key: bits(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [bits(own) for own in value]
    return value

node, python = sys.argv[1:]
read = lambda folder: torch.load(folder + "/fine-tuned.pt", weights_only=True)
assert bits(read(node)) == bits(read(python)), "fine-tuned.pt"
assert bits(load_file(node + "/fine-tuned.safetensors")) == bits(read(node)["model"]), "fine-tuned.safetensors"
`;

function run(command: string, args: readonly string[]): string {
  const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** Why there is nothing to compare with, if so. */
function findUnavailable(): string | undefined {
  const python = findPython();
  if ('unavailable' in python) return python.unavailable;
  const { status } = spawnSync(python.command, ['-c', 'import numpy, safetensors.torch']);
  return status === 0 ? undefined : `${python.command} cannot import numpy and safetensors`;
}

const unavailable = findUnavailable();
if (unavailable !== undefined) {
  test(`no Python to fine-tune beside: ${unavailable}`, () => undefined);
} else {
  const { command } = findPython() as { command: string };

  test('Python writes the model, both fine-tune it, and Python reads the same bits from both', () => {
    const made = (name: string): string => mkdirSync(join(here.path, name), { recursive: true }) as string;
    const [given, node, python] = [made('given'), made('node'), made('python')];
    run(command, [join(root, 'examples/fine-tune/pretrain.py'), given]);
    const own = run(process.execPath, [join(root, 'build/examples/fine-tune.js'), given, node]);
    const twin = run(command, [join(root, 'examples/python/fine-tune.py'), given, python]);
    expect(own).toBe(twin.replace(/(?<= )True$/gm, 'true'));
    run(command, ['-c', compare, node, python]);
    const weights = (results: string): Buffer => readFileSync(join(results, 'fine-tuned.safetensors'));
    expect(weights(node).equals(weights(python))).toBe(true);
  }, 120_000);
}
