/** What the types of modules allow, and what they refuse. Compiled, never run. */
import { nn, type Tensor, zeros } from 'libtorch-losses';

export function calls(x: Tensor, indices: Tensor): Tensor[] {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const linear: Tensor = new nn.Linear(2, 3, { bias: false })(x);
  const unpooled: Tensor = new nn.MaxUnpool2d(2)(x, indices, { outputSize: [4, 4] });
  return [model(x), linear, unpooled, new nn.Conv2d(3, 4, [3, 5], { padding: 'same' })(x)];
}

export function properties(): void {
  const linear = new nn.Linear(2, 3);
  const weight: nn.Parameter = linear.weight;
  const bias: nn.Parameter | undefined = linear.bias;
  const mean: Tensor | undefined = new nn.BatchNorm1d(3).runningMean;
  const size: number = linear.inFeatures;
  const inplace: boolean = new nn.ReLU(true).inplace;
  for (const [name, parameter] of linear.namedParameters({ recurse: false }))
    name.concat(String(parameter.requiresGrad));
  void [weight, bias, mean, size, inplace];
}

class Net extends nn.Module {
  hidden = new nn.Linear(4, 3);
  scale = new nn.Parameter(zeros([1]));
  layers = new nn.ModuleList([new nn.ReLU()]);

  override forward(x: Tensor, options: { twice?: boolean } = {}): Tensor {
    return options.twice === true ? this.hidden(this.hidden(x)) : this.hidden(x).mul(this.scale);
  }
}

export function ownModules(net: Net, x: Tensor): void {
  const result: Tensor = net(x, { twice: true });
  const same: Net = net.train().to('float64').eval();
  net.registerForwardHook((module, inputs, output) => {
    const [first] = inputs;
    return module.training ? output.add(first) : undefined;
  });
  net.registerFullBackwardHook((_, [gradient]) => [gradient?.mul(2)]);
  const keys: string[] = net.loadStateDict(net.stateDict(), { strict: false }).missingKeys;
  void [result, same, keys];
}

export function refused(net: Net, x: Tensor): void {
  // @ts-expect-error: no tensor
  net([1, 2]);
  // @ts-expect-error: an option that it does not have
  net(x, { thrice: true });
  // @ts-expect-error: a tensor is no parameter
  net.scale = x;
  // @ts-expect-error: a misspelled option
  new nn.Linear(2, 3, { bais: false });
  // @ts-expect-error: a size is missing
  new nn.Linear(2);
  // @ts-expect-error: text for a number
  new nn.Dropout('0.5');
  // @ts-expect-error: a layer takes one input
  new nn.ReLU()(x, x);
  // @ts-expect-error: no module
  new nn.ModuleList([x]);
}
