/** A process that may have no more memory: calls are refused, nothing ends, and what is given back can be used again. */
import { spawnSync } from 'node:child_process';
import { printedBy, runProgram } from '../support/child';
import { testWhere } from '../support/where';

const hasPrlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const whereLimited = testWhere(hasPrlimit, 'memory that really runs out, for want of prlimit');

/** `limit(megabytes)`: the process may map so much more than it has now. `refusal(fn)`: the code of its error. */
const limited = `
  const { spawnSync } = require('node:child_process');
  const { readFileSync } = require('node:fs');
  function limit(megabytes) {
    const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]);
    const { status } = spawnSync('prlimit', ['--pid', String(process.pid), '--as=' + (pages * 4096 + megabytes * 2 ** 20)]);
    if (status !== 0) throw new Error('prlimit');
  }
  const refusal = (fn) => { try { fn(); } catch (error) { return error instanceof torch.TorchError ? error.code : String(error); } };
  const big = 64 * 2 ** 18; // float32: 64 MB
  // Threads and pools that the first calls make.
  torch.setNumThreads(1);
  torch.valueAndGrad(F.mseLoss)(torch.ones([8]), torch.ones([8]));
`;

whereLimited('tensors, losses and gradients are refused, and go on when there is memory again', () => {
  const { kept, refused, after } = printedBy<{ kept: number; refused: string[]; after: number }>(`
    ${limited}
    F.mseLoss.async([1], [2]).then(async () => {
      const [input, target] = [torch.zeros([big]), torch.ones([big])];
      limit(300);
      const tensors = [];
      const fill = () => { for (;;) tensors.push(torch.empty([big])); };
      const refused = [refusal(fill)];
      const leaf = input.detach().requiresGrad_();
      refused.push(
        refusal(() => torch.tensor(new Float32Array(8)).expand([big / 8, 8]).clone()),
        refusal(() => F.mseLoss(input, target, { reduction: 'none' })),
        refusal(() => F.mseLoss(leaf, target).backward()),
        refusal(() => torch.valueAndGrad(F.smoothL1Loss)(input, target)),
        await F.mseLoss.async(input, target, { reduction: 'none' }).catch(({ code }) => code),
      );
      const kept = tensors.length;
      for (const tensor of tensors) tensor.dispose();
      torch.emptyCache();
      console.log(JSON.stringify({ kept, refused, after: F.mseLoss(input, target, { reduction: 'none' }).sum().item() }));
    });
  `);
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(6);
  expect(refused).toEqual(Array(6).fill('OUT_OF_MEMORY'));
  expect(after).toBe(2 ** 24);
});

whereLimited('tensors that were dropped are collected before memory is said to have run out', () => {
  const { filled, after } = printedBy<{ filled: number; after: number[] }>(`
    ${limited}
    F.mseLoss.async([1], [2]).then(async () => {
      const pair = [torch.zeros([big]), torch.ones([big])];
      limit(300);
      const drop = () => { const tensors = []; refusal(() => { for (;;) tensors.push(torch.empty([big])); }); return tensors.length; };
      const filled = drop();
      const after = [torch.ones([2 * big]).numel()];
      drop();
      after.push(F.mseLoss(...pair, { reduction: 'none' }).numel());
      drop();
      after.push((await F.mseLoss.async(...pair, { reduction: 'none' })).numel());
      console.log(JSON.stringify({ filled, after }));
    });
  `);
  expect(filled).toBeGreaterThan(1);
  expect(after).toEqual([2 ** 25, 2 ** 24, 2 ** 24]);
});

test('sizes that no machine has are refused, whoever asks for them', () => {
  const program = `
    const huge = 2 ** 45;
    const refusal = (fn) => { try { fn(); } catch (error) { return error instanceof torch.TorchError ? error.code : String(error); } };
    const wide = torch.ones([1]).expand([huge]);
    (async () => console.log(JSON.stringify([
      refusal(() => torch.zeros([huge])),
      refusal(() => wide.clone()),
      refusal(() => F.mseLoss(wide, wide, { reduction: 'none' })),
      refusal(() => torch.randperm(huge)),
      await F.mseLoss.async(wide, wide, { reduction: 'none' }).catch(({ code }) => code),
    ])))();
  `;
  const { stdout, ...end } = runProgram(program);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(Array(5).fill('OUT_OF_MEMORY'));
});

whereLimited('a thread that cannot be started leaves nothing behind, and is started later', () => {
  const found = printedBy(`
    ${limited}
    const x = torch.ones([8]);
    (async () => {
      torch.valueAndGrad(F.mseLoss)(x, x);
      const room = torch.empty([big]);
      // Less than a thread's stack.
      limit(6);
      const refused = [];
      for (let i = 0; i < 3; i++) refused.push(await F.mseLoss.async(x, x).catch(({ code, message }) => code + ' ' + message));
      x.add_(1);
      room.dispose();
      torch.emptyCache();
      const value = (await F.mseLoss.async(x, [1, 1, 1, 1, 1, 1, 1, 1])).item();
      console.log(JSON.stringify({ refused, value }));
    })();
  `);
  const refused = expect.stringMatching(/^RUNTIME .*no thread could be started/);
  expect(found).toEqual({ refused: [refused, refused, refused], value: 1 });
});
