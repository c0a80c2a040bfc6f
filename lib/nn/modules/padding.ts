/** Padding as modules: the numbers of elements to add at both ends of each dimension, from the last one on. */
import { expected } from '../../errors';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { pad } from '../functional/operators.generated';
import { type LayerClass, type LayerName, layer, tuple } from './layer';

type Padding = number | readonly number[];

/** A layer that pads so many dimensions in a mode of {@link pad}. */
function padding<Name extends LayerName & `${string}Pad${1 | 2 | 3}d`>(name: Name, mode: string): LayerClass<Name> {
  const count = 2 * Number(name.at(-2));
  type Own = { padding: Padding; value?: number };
  return layer<Name, [input: Tensor], Tensor, Own>(name, {
    make(self) {
      Object.assign(self, { padding: tuple(self.padding, count) });
    },
    forward(self, input) {
      if (mode === 'circular') checkDims(name, input, count / 2);
      return pad(input, self.padding as readonly number[], mode, mode === 'constant' ? (self.value ?? 0) : null);
    },
    text: name.startsWith('Constant') ? 'padding={padding}, value={value}' : '{padding}',
  });
}

function checkDims(name: string, input: Tensor, dims: number): void {
  const { shape } = input;
  if (shape.length === dims + 1 || shape.length === dims + 2) return;
  throw expected(name, "'input'", `to have ${dims + 1} or ${dims + 2} dimensions`, `shape ${shapeText(shape)}`);
}

/** Adds the elements of the other end at the ends of one dimension. **Shapes**: `[N, C, W]` -> `[N, C, W']`. **Source**: `torch.nn.CircularPad1d`. */
export class CircularPad1d extends padding('CircularPad1d', 'circular') {}

/** Adds the elements of the other end at the ends of two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.CircularPad2d`. */
export class CircularPad2d extends padding('CircularPad2d', 'circular') {}

/** Adds the elements of the other end at the ends of three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.CircularPad3d`. */
export class CircularPad3d extends padding('CircularPad3d', 'circular') {}

/** Adds one value at the ends of one dimension. **Shapes**: `[N, C, W]` -> `[N, C, W']`. **Source**: `torch.nn.ConstantPad1d`. */
export class ConstantPad1d extends padding('ConstantPad1d', 'constant') {}

/** Adds one value at the ends of two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.ConstantPad2d`. */
export class ConstantPad2d extends padding('ConstantPad2d', 'constant') {}

/** Adds one value at the ends of three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.ConstantPad3d`. */
export class ConstantPad3d extends padding('ConstantPad3d', 'constant') {}

/** Adds its elements mirrored at the end at the ends of one dimension. **Shapes**: `[N, C, W]` -> `[N, C, W']`. **Source**: `torch.nn.ReflectionPad1d`. */
export class ReflectionPad1d extends padding('ReflectionPad1d', 'reflect') {}

/** Adds its elements mirrored at the end at the ends of two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.ReflectionPad2d`. */
export class ReflectionPad2d extends padding('ReflectionPad2d', 'reflect') {}

/** Adds its elements mirrored at the end at the ends of three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.ReflectionPad3d`. */
export class ReflectionPad3d extends padding('ReflectionPad3d', 'reflect') {}

/** Adds its element at the end at the ends of one dimension. **Shapes**: `[N, C, W]` -> `[N, C, W']`. **Source**: `torch.nn.ReplicationPad1d`. */
export class ReplicationPad1d extends padding('ReplicationPad1d', 'replicate') {}

/** Adds its element at the end at the ends of two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.ReplicationPad2d`. */
export class ReplicationPad2d extends padding('ReplicationPad2d', 'replicate') {}

/** Adds its element at the end at the ends of three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.ReplicationPad3d`. */
export class ReplicationPad3d extends padding('ReplicationPad3d', 'replicate') {}

/** Adds zeros at the ends of one dimension. **Shapes**: `[N, C, W]` -> `[N, C, W']`. **Source**: `torch.nn.ZeroPad1d`. */
export class ZeroPad1d extends padding('ZeroPad1d', 'constant') {}

/** Adds zeros at the ends of two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.ZeroPad2d`. */
export class ZeroPad2d extends padding('ZeroPad2d', 'constant') {}

/** Adds zeros at the ends of three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.ZeroPad3d`. */
export class ZeroPad3d extends padding('ZeroPad3d', 'constant') {}
