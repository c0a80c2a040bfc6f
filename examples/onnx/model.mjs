// ONNX files are protocol buffers: fields of a number and a value, an integer or bytes. A linear model needs few of them.
const float32 = 1;

/** A model `x [N, features] -> logits [N, classes]`, as the bytes of its .onnx file: logits = x weightᵀ + bias. */
export function linearModel(weight, bias) {
  const [classes, features] = [bias.length, weight.length / bias.length];
  const transposed = [field(1, 'transB'), field(3, 1), field(20, 2)].flat();
  const node = [field(1, 'x'), field(1, 'weight'), field(1, 'bias'), field(2, 'logits'), field(4, 'Gemm')];
  const graph = [
    field(1, [...node, field(5, transposed)].flat()),
    field(2, 'classifier'),
    field(5, constant('weight', [classes, features], weight)),
    field(5, constant('bias', [classes], bias)),
    field(11, argument('x', features)),
    field(12, argument('logits', classes)),
  ];
  const [formatVersion, operatorSet] = [8, 13];
  return Uint8Array.from([field(1, formatVersion), field(7, graph.flat()), field(8, field(2, operatorSet))].flat());
}

function constant(name, shape, values) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [...shape.map((size) => field(1, size)), field(2, float32), field(8, name), field(9, bytes)].flat();
}

/** Of any number of rows. */
function argument(name, columns) {
  const shape = [field(1, field(2, 'N')), field(1, field(1, columns))].flat();
  return [field(1, name), field(2, field(1, [field(1, float32), field(2, shape)].flat()))].flat();
}

function field(number, value) {
  if (typeof value === 'number') return [...integer(number << 3), ...integer(value)];
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return [...integer((number << 3) | 2), ...integer(bytes.length), ...bytes];
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function integer(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...integer(value >> 7)];
}
