// Every case of every loss on the device against the CPU, value and gradients, by PyTorch's tolerances; and the other
// forms of the loss on the device against the graph's. Without a GPU the forms alone say something.
import { compute, computeForms, expectedForms, isLost, runsOf } from '../case-run.mjs';
import { apart, atomics, unequal, whyNotRepeatable } from '../judge-runs.mjs';
import { check, data, done, library, notRun, order, progress, secondsLeft, table } from '../part.mjs';

const torch = library();
const { device, quick } = order;
const isGpu = device !== 'cpu';

/** The counts by loss. */
const rows = new Map();
const failures = [];
const refused = [];
const runs = runsOf(order.cases, quick);
let isOver = false;

/** Seconds for reporting. */
const kept = 5;

for (const [i, run] of runs.entries()) {
  if (i % 20 === 0) progress(`${i} of ${runs.length}: ${run.name}`);
  if (secondsLeft() < kept) {
    notRun(`${runs.length - i} of ${runs.length} runs of the losses`, 'the time was up');
    break;
  }
  await torch.scope(() => one(run));
  if (isOver) break;
}
report();
done();

async function one(run) {
  const row = rowOf(run.loss);
  row.runs++;
  const expected = compute(run, 'cpu');
  const actual = isGpu ? compute(run, device) : expected;
  if (isLost(actual)) {
    isOver = true;
    failures.push(`${run.name}: ${actual.refusal.message}; nothing after it could be run`);
    return;
  }
  if (expected.refusal !== undefined) {
    row.refused++;
    refused.push({ name: run.name, where: 'cpu', ...expected.refusal });
    // Only operators that this version of PyTorch lacks are refused on the CPU.
    if (run.loss !== 'linearCrossEntropy' || expected.refusal.code !== 'NOT_IMPLEMENTED') {
      failures.push(`${run.name}: refused on the CPU: ${expected.refusal.message}`);
    }
    return;
  }
  if (actual.refusal !== undefined) {
    row.refused++;
    refused.push({ name: run.name, where: device, ...actual.refusal });
    // A refusal has to be libtorch's own. That PyTorch refuses the same, the part python finds out.
    if (!['NOT_IMPLEMENTED', 'RUNTIME'].includes(actual.refusal.code)) {
      failures.push(`${run.name}: ${actual.refusal.code} ${actual.refusal.message}`);
    }
    return;
  }
  if (isGpu) compare(run, row, actual.results, expected.results);
  try {
    await compareForms(run, row);
  } catch (error) {
    // The other forms accept the same calls as the function.
    failures.push(`${run.name}, another form: ${error.message}`);
    isOver = isLost({ refusal: error });
  }
}

function compare(run, row, actual, expected) {
  const labels = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  let isSame = true;
  for (const label of labels) {
    const [a, e] = [actual[label], expected[label]];
    const wrong =
      a === undefined || e === undefined
        ? `only ${a === undefined ? 'the CPU' : device} has the ${label}`
        : apart(run, label, a, e, 'the CPU gives');
    if (wrong !== undefined) failures.push(`${run.name}: ${wrong}`);
    isSame &&= wrong === undefined && unequal(label, a, e, '') === undefined;
  }
  if (isSame) row.identical++;
}

/** To the bit, as on the CPU, but where atomic operations stand between. */
async function compareForms(run, row) {
  const expected = expectedForms(run, device);
  const actual = await computeForms(run, device);
  for (const [form, results] of Object.entries(expected)) {
    row.forms++;
    for (const [label, e] of Object.entries(results)) {
      const a = actual[form][label];
      const wrong = unequal(label, a, e, 'the graph gives');
      if (wrong === undefined) continue;
      row.formsApart++;
      const isAllowed = isGpu && whyNotRepeatable(run, label) !== undefined;
      const far = isAllowed ? apart(run, label, a, e, 'the graph gives') : wrong;
      if (far !== undefined) failures.push(`${run.name}, ${form}: ${far}`);
    }
  }
}

function rowOf(loss) {
  if (!rows.has(loss)) rows.set(loss, { runs: 0, identical: 0, refused: 0, forms: 0, formsApart: 0 });
  return rows.get(loss);
}

function report() {
  const all = [...rows.values()];
  const sum = (of) => all.reduce((total, row) => total + row[of], 0);
  const cases = `${sum('runs')} runs (loss × case × dtype × reduction, value and gradient)`;
  const ofForms = failures.filter((text) => /, (async|valueAndGrad|another form): /.test(text));
  const others = failures.filter((text) => !ofForms.includes(text));
  if (isGpu) {
    check(
      `${cases} on ${device} agree with the CPU by PyTorch's tolerances`,
      others.length === 0,
      others.length === 0 ? `${sum('identical')} to the bit` : others.join('\n'),
    );
  } else {
    notRun("every loss on a GPU against the CPU, by PyTorch's tolerances", 'there is no GPU');
    check(`${cases} run on the CPU`, others.length === 0, others.length === 0 ? undefined : others.join('\n'));
  }
  check(
    `${sum('forms')} calls of .async and valueAndGrad give the bits of the graph`,
    ofForms.length === 0,
    ofForms.length === 0 ? `${sum('formsApart')} apart in the last bits, by atomic operations` : ofForms.join('\n'),
  );
  const heading = isGpu
    ? ['loss', 'runs', "the CPU's bits", 'refused by libtorch', 'other forms', 'of them not to the bit']
    : ['loss', 'runs', 'refused by libtorch', 'other forms', 'of them not to the bit'];
  table(
    'Every loss',
    heading,
    [...rows].map(([loss, row]) => [
      loss,
      row.runs,
      ...(isGpu ? [row.identical] : []),
      row.refused,
      row.forms,
      row.formsApart,
    ]),
  );
  if (refused.length > 0) table('Refused by libtorch', ['by', 'code', 'run', 'message'], kindsOf(refused));
  data('refused', refused);
  data('failures', failures);
  data(
    'atomics',
    atomics.map(({ losses, because }) => ({ losses, because })),
  );
}

/** One row for the refusals of a loss in a dtype with the same code. */
function kindsOf(list) {
  const kinds = new Map();
  for (const { name, where, code, message } of list) {
    const key = `${where} ${code} ${name.split(' ').slice(0, 2).join(' ')}`;
    const known = kinds.get(key) ?? { where, code, name, message: message.split('\n')[0].slice(0, 160), count: 0 };
    kinds.set(key, { ...known, count: known.count + 1 });
  }
  return [...kinds.values()].map((k) => [
    k.where,
    k.code,
    k.count > 1 ? `${k.name} and ${k.count - 1} more` : k.name,
    k.message,
  ]);
}
