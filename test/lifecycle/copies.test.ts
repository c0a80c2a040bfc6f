/** The library loaded more than once into a process: with the same addon, and with an addon of its own. */
import { dist, printedBy } from '../support/child';

test('copies work beside each other, each with its own classes of errors', () => {
  const results = printedBy<Record<string, unknown>>(`
    const folder = ${JSON.stringify(dist)};
    const forget = (test) => Object.keys(require.cache).filter(test).forEach((key) => { delete require.cache[key]; });
    const kinds = (copy) => {
      try { copy.ones([2]).add(copy.ones([3])); } catch (error) { return copies.map(({ NativeError }) => error instanceof NativeError); }
    };
    const copies = [torch];
    torch.ones([1]);
    forget((key) => key.startsWith(folder));
    copies.push(require(folder)); // another library, the same addon
    copies[1].ones([1]);
    forget((key) => key.startsWith(folder) || key.endsWith('.node'));
    copies.push(require(folder)); // another addon too, from the same file
    const x = torch.ones([2], { requiresGrad: true });
    x.mul(3).sum().backward();
    console.log(JSON.stringify({
      kinds: [kinds(copies[0]), kinds(copies[1]), kinds(copies[2])],
      sums: copies.map((copy) => copy.ones([3]).sum().item()),
      mixed: copies.slice(1).map((copy) => { try { copy.ones([2]).add(x); } catch ({ code, message }) { return [code, message]; } }),
      noGrad: copies.map((copy) => torch.noGrad(() => copy.isGradEnabled())),
      grad: x.grad.toArray(),
    }));
  `);
  const refused = [
    'INVALID_ARGUMENT',
    "add: expected 'other' to be a Tensor or a number, but received a proxy of a Tensor, or a Tensor of another copy of this package",
  ];
  expect(results).toEqual({
    kinds: [
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ],
    sums: [3, 3, 3],
    mixed: [refused, refused],
    // A mode is the thread's, whoever switched it.
    noGrad: [false, false, false],
    grad: [3, 3],
  });
});
