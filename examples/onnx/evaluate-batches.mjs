// Scores of another runtime: a model runs in onnxruntime, and its outputs go into the evaluator as they are.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as ort from 'onnxruntime-web';
// In a project of your own: from 'libtorch-losses'.
import * as torch from '../../dist/index.js';
import { linearModel } from './model.mjs';

const F = torch.nn.functional;

// Handwritten digits: 64 pixels from 0 to 16 and a class a line.
const file = new URL('../quickstart/data/digits.csv.gz', import.meta.url);
const lines = gunzipSync(readFileSync(file)).toString('latin1').trimEnd().split('\n');
const digits = lines.map((line) => line.split(',').map(Number));
const pixels = (from, to) =>
  Float32Array.from(
    digits.slice(from, to).flatMap((row) => row.slice(0, 64)),
    (v) => v / 16,
  );
const classes = (from, to) => digits.slice(from, to).map((row) => row[64]);

// A linear classifier of the first 1,000, by plain gradient descent.
const images = torch.tensor(pixels(0, 1000), { shape: [1000, 64] });
const weight = torch.zeros([10, 64], { requiresGrad: true });
const bias = torch.zeros([10], { requiresGrad: true });
for (let step = 0; step < 100; step++) {
  const loss = F.crossEntropy(F.linear(images, weight, bias), classes(0, 1000));
  const gradients = torch.grad(loss, [weight, bias]);
  torch.noGrad(() => [weight, bias].forEach((parameter, i) => void parameter.sub_(gradients[i])));
}

// It goes to onnxruntime, which gives { data, dims } for each batch of the others.
const model = linearModel(weight.detach().toTypedArray(), bias.detach().toTypedArray());
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model);

async function* batches() {
  for (let start = 1000; start < digits.length; start += 128) {
    const end = Math.min(start + 128, digits.length);
    const { logits } = await session.run({ x: new ort.Tensor('float32', pixels(start, end), [end - start, 64]) });
    yield [logits, classes(start, end)];
  }
}

const evaluator = await new torch.BatchEvaluator(F.crossEntropy).updateFrom(batches());
const { loss, count, classification } = evaluator.result();
const { accuracy, top5, perplexity } = classification;
console.log(`model: ${model.length} bytes`);
console.log(`loss of ${count} digits: ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(4)}`);
console.log(`accuracy ${(100 * accuracy).toFixed(1)} %, top 5 ${(100 * top5).toFixed(1)} %`);

// The same by this library alone, in one call.
const rest = torch.tensor(pixels(1000, digits.length), { shape: [count, 64] });
const whole = torch.noGrad(() => F.crossEntropy(F.linear(rest, weight, bias), classes(1000, digits.length))).item();
console.log('as in one call:', Math.abs(loss - whole) < 1e-6);
