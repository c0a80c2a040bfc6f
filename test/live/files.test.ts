/** Files that go between this library and Python's PyTorch on this machine, both ways. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { nn, optim } from '../../lib';
import { folder } from '../support/folder';
import { findPython } from '../support/live';
import { canonical } from '../unit/io/canonical';
import { casesOf, pattern } from '../unit/io/support';

const python = findPython();
const here = folder();

/** The same as test/live/files.py trains. */
function training(): { model: nn.Sequential; optimizer: optim.AdamW; step(): void; state(): object } {
  torch.manualSeed(0);
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Sigmoid(), new nn.Linear(4, 2));
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.5 });
  const step = (): void => {
    optimizer.zeroGrad();
    model
      .forward(pattern('int8', [5, 3]).to('float32').div(64))
      .sum()
      .backward();
    optimizer.step();
  };
  return { model, optimizer, step, state: () => ({ model: model.stateDict(), optimizer: optimizer.stateDict() }) };
}

if ('unavailable' in python) {
  test(`no PyTorch to exchange files with: ${python.unavailable}`, () => undefined);
} else {
  test('each reads what the other writes, and goes on training with it', () => {
    const [mine, theirs] = [join(here.path, 'node'), join(here.path, 'python')];
    mkdirSync(mine);
    const cases = casesOf<{ value: string; bytes: string }>('pt').filter(([name]) => name !== 'a longer integer');
    for (const [i, [, { bytes }]] of cases.entries()) {
      torch.save(torch.load(Buffer.from(bytes, 'base64'), 'cpu'), join(mine, `${i}.pt`));
    }
    const run = training();
    run.step();
    torch.save(run.state(), join(mine, 'training.pt'));
    run.step();
    torch.save(run.state(), join(mine, 'continued.pt'));

    const { stdout, stderr, status } = spawnSync(python.command, [join(__dirname, 'files.py'), here.path], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      maxBuffer: 1 << 28,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = JSON.parse(stdout) as Record<string, string>;
    for (const [i, [name, { value }]] of cases.entries()) {
      expect([name, JSON.parse(found[i] as string)]).toEqual([name, JSON.parse(value)]);
    }
    expect(JSON.parse(found.here as string)).toEqual(JSON.parse(found.continued as string));

    for (const name of readdirSync(theirs).filter((file) => file.endsWith('.pt'))) {
      const value = JSON.parse(readFileSync(join(theirs, name.replace('.pt', '.json')), 'utf8')) as unknown;
      expect([name, canonical(torch.load(join(theirs, name), 'cpu'))]).toEqual([name, value]);
    }
  }, 120_000);
}
