/** What the compiler must refuse, and what it must accept, of tensors. Nothing here runs. */
import {
  backward,
  type DType,
  distributions,
  fromTypedArray,
  grad,
  noGrad,
  randint,
  randn,
  scope,
  softmax,
  Tensor,
  tensor,
  zeros,
} from 'libtorch-losses';

export function accepted(x: Tensor): unknown[] {
  const item: number = x.item();
  const large: bigint = x.item<bigint>();
  const shape: number[] = x.shape;
  const dtype: DType = x.dtype;
  const gradient: Tensor | undefined = x.grad;
  const values: Float64Array = x.toTypedArray<Float64Array>();
  const inner: string = scope(() => 'kept');
  const [first]: (Tensor | undefined)[] = grad([x], [x], { allowUnused: true });
  return [
    [item, large, shape, dtype, gradient, values, inner, first],
    tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'bfloat16', requiresGrad: true },
    ),
    tensor(new Uint16Array(4), { dtype: 'float16', shape: [2, 2] }),
    tensor([1n, 2n]),
    tensor([true, false]),
    zeros([2, 3], { device: 'cuda:1' }),
    fromTypedArray(new Float32Array(4), { shape: [2, 2] }),
    noGrad(() => x.add(1).mul(x).softmax(0)),
    x.to('float16').to({ device: 'cuda', dtype: 'float32' }),
    softmax(x, -1),
    new distributions.Categorical({ probs: x }).entropy(),
  ];
}

export function wrongDtypes(x: Tensor): void {
  // @ts-expect-error: PyTorch's name is float32
  tensor([1], { dtype: 'float' });
  // @ts-expect-error: not with the module's name
  tensor([1], { dtype: 'torch.float32' });
  // @ts-expect-error: JavaScript's name of nothing here
  zeros([1], { dtype: 'double' });
  // @ts-expect-error: options name it dtype
  randn([2], { type: 'float64' });
  // @ts-expect-error: a cast's options are dtype, device, copy and nonBlocking
  x.to({ dtyp: 'float32' });
  // @ts-expect-error: requiresGrad is true or false
  tensor([1], { requiresGrad: 'yes' });
  // @ts-expect-error: not a dtype
  const dtype: DType = 'long';
  zeros([1], { dtype });
}

export function wrongArguments(x: Tensor): void {
  // @ts-expect-error: tensors are made by factories
  new Tensor();
  // @ts-expect-error: sizes are numbers
  zeros('2');
  // @ts-expect-error: randint needs a shape
  randint(0, 10);
  // @ts-expect-error: text is not data
  tensor('1');
  // @ts-expect-error: a tensor has no length
  x.length;
  // @ts-expect-error: the shape is not set but reshaped
  x.shape = [1];
  // @ts-expect-error: softmax needs its dimension
  x.softmax();
  // @ts-expect-error: a gradient is a tensor
  x.backward(1);
  // @ts-expect-error: a gradient that might be absent cannot be used unseen
  x.grad.item();
  // @ts-expect-error: backward takes a list of tensors
  backward();
  // @ts-expect-error: scope takes a function
  scope(x);
  // @ts-expect-error: a distribution is made of an object
  new distributions.Categorical(x);
}
