// What is called, and with what: arguments that fit mostly, and hostile values among them.
const called = require('./called.json');
const { Hostile, integers, numbers, bigints, dtypes, strings } = require('./values.cjs');

/** libtorch's backward kernels trust what their forward operators have checked; scripts do not reach them alone. */
const trusting = /_backward/;

/** `'add.Tensor'` as native code takes it. */
function pathOf(name) {
  const [operator, overload = ''] = name.split('.');
  return [`aten::${operator}`, overload];
}

/** Makers of calls: functions that give `{ name, call, args }`. */
function makersOfCalls({ torch, native, signatures, random, state, values, judge }) {
  const { below, pick, chance, listOf } = random;
  const { hostile, trapped, trappedObject, typedArray, upset } = values;
  const pickTensor = () => pick(state.tensors);
  const pickHandle = () => pick(state.handles);
  const dims = () => pick([0, 1, -1, 2, pick(integers)]);
  const flag = () => pick([true, false, undefined]);
  const device = () => pick(['cpu', 'meta', 'cuda', pick(strings)]);

  // ---- operators, by their schemas

  /** A value for one argument of a schema ("int[1]? dim=None"); `tensor` gives tensors or handles. */
  function plausible(argument, tensor) {
    if (chance(0.12)) return hostile();
    const [type] = argument.replace(/\(\w!?\)/g, '').split(' ');
    const optional = type.includes('?') && chance(0.4);
    if (optional || (argument.includes('=') && chance(0.4))) return pick([undefined, null]);
    const base = type.replace('?', '');
    const list = /\[\d*\]$/.test(base);
    const one = () => {
      switch (base.replace(/\[\d*\]$/, '')) {
        case 'Tensor':
          return tensor();
        case 'int':
        case 'SymInt':
          return dims();
        case 'float':
        case 'Scalar':
          return pick([...numbers, ...bigints, true]);
        case 'bool':
          return chance(0.5);
        case 'str':
          return pick(strings);
        case 'ScalarType':
          return tensor === pickHandle ? below(20) - 1 : pick(dtypes);
        case 'Device':
          return device();
        default:
          return pick(integers);
      }
    };
    if (!list) return one();
    const entries = listOf(one);
    return chance(0.15) ? trapped(entries) : entries;
  }

  /** Operators that the library calls, or has called, itself: `positional` of their arguments are not for keywords only. */
  const schemas = called
    .filter((name) => !trusting.test(name))
    .map((name) => {
      const schema = native.schema(...pathOf(name));
      const inside = schema.slice(schema.indexOf('(') + 1, schema.lastIndexOf(') ->'));
      // Commas inside of brackets part nothing here: no argument of these operators has one.
      const parts = inside.split(', ').filter((argument) => argument !== '');
      const star = parts.indexOf('*');
      return { name, args: parts.filter((part) => part !== '*'), positional: star < 0 ? parts.length : star };
    });

  const operators = new Map();
  function operatorOf(name) {
    const made = operators.get(name) ?? native.operator(...pathOf(name));
    operators.set(name, made);
    return made;
  }

  function nativeOperator() {
    const { name, args } = pick(schemas);
    return {
      name: `native ${name}`,
      isNative: true,
      call: operatorOf(name),
      args: args.map((argument) => plausible(argument, pickHandle)),
    };
  }

  function atenOperator() {
    const { name, args, positional } = pick(schemas);
    const values = args.map((argument) => plausible(argument, pickTensor));
    const [base, overload = 'default'] = name.split('.');
    const given = values.slice(0, positional);
    if (positional < args.length && chance(0.7)) {
      const keywords = args.slice(positional).map((argument) => argument.split('=')[0].split(' ').at(-1));
      given.push(Object.fromEntries(keywords.map((keyword, i) => [keyword, values[positional + i]])));
    }
    return { name, call: torch.ops.aten[base][overload], args: given };
  }

  // ---- the other native entries

  /** Calls of one operator or a few, on handles of a trace or a backward pass. */
  function work(given) {
    const made = [...given];
    for (let times = below(4); times > 0; times--) {
      const { name, args } = pick(schemas);
      const result = operatorOf(name)(
        ...args.map((argument) =>
          plausible(argument, () => (chance(0.7) && made.length > 0 ? pick(made) : pickHandle())),
        ),
      );
      made.push(...(Array.isArray(result) ? result : [result]));
    }
    return made;
  }

  /** A function that native code calls: it works, and sometimes ends badly. */
  function script() {
    return (...args) => {
      if (chance(0.3)) upset();
      const given = args.flat().filter((value) => typeof value === 'object' && value !== null);
      if (chance(0.1)) return hostile();
      const made = chance(0.3) ? given : worked(given);
      if (chance(0.1)) state.foreign[below(state.foreign.length)] = made.at(-1);
      if (chance(0.1)) step();
      return chance(0.5) ? made.slice(0, 1) : listOf(() => (made.length > 0 ? pick(made) : pickHandle()));
    };
  }

  /** What has been made before an operator refused. */
  function worked(given) {
    try {
      return work(given);
    } catch (error) {
      if (chance(0.3)) throw error;
      return given;
    }
  }

  /** One more call, in the middle of another, which gets no errors to throw on but those that are its own. */
  let depth = 0;
  function step() {
    if (depth > 2) return;
    depth += 1;
    const chosen = pick(all)();
    try {
      chosen.call(...chosen.args);
    } catch (error) {
      judge(error, chosen);
      throw new Hostile('thrown by a call inside of a call');
    } finally {
      depth -= 1;
    }
  }

  const handlesIn = () => (chance(0.15) ? trapped(listOf(pickHandle)) : listOf(pickHandle));
  const absentOr = (make) => (chance(0.4) ? undefined : make());
  const callback = () => (chance(0.85) ? script() : hostile());
  const anyProgram = () => (chance(0.85) ? pick(state.programs) : { program: hostile(), inputs: [] });
  const newArray = () => {
    const fits = [new Float32Array(6), 6, [2, 3]];
    return fits.map((value) =>
      chance(0.75) ? value : pick([typedArray(), dims(), listOf(dims), below(14), hostile()]),
    );
  };

  /** The arguments of native functions, where tensors alone would be refused at once. */
  const nativeArguments = {
    manualSeed: () => [pick([...bigints, 5n])],
    // More threads cost time and nothing else.
    setNumThreads: () => [pick([1, 1, 0, -1, NaN, 1.5, 2 ** 40, '1', 1n, null])],
    synchronize: () => [device()],
    operator: () => [pick(['aten::add', 'aten::exp', 'aten::no', pick(strings)]), pick(['', 'Tensor', pick(strings)])],
    schema: () => [pick(['aten::add', 'aten::exp', pick(strings)]), pick(['', 'Tensor', pick(strings)])],
    fromBytes: newArray,
    share: () => (chance(0.5) ? newArray() : [pick(state.shared), 6, [pick(state.shared).length]]),
    copyTo: () => [pickHandle(), pick([typedArray(), pick(state.shared), new Float32Array(6)])],
    setRequiresGrad: () => [pickHandle(), flag()],
    setGradient: () => [pickHandle(), absentOr(pickHandle)],
    startTransfer: () => [handlesIn(), device()],
    finishTransfer: () => [pick([...state.transfers, ...state.foreign])],
    backward: () => [handlesIn(), absentOr(handlesIn), flag(), flag(), absentOr(handlesIn)],
    grad: () => [handlesIn(), handlesIn(), absentOr(handlesIn), flag(), flag(), flag()],
    withGradMode: () => [flag(), callback()],
    withInferenceMode: () => [flag(), callback()],
    withoutTracing: () => [callback()],
    trace: () => [handlesIn(), callback()],
    customFunction: () => [pickHandle(), handlesIn(), handlesIn(), pick(['graph', 'once', 'always', 'x']), callback()],
    run: () => {
      const { program, inputs } = anyProgram();
      const given = () => inputs.map((input) => pick([input, pickHandle(), typedArray(), new Float32Array(6)]));
      return [program, pick([0, 1, 2, 3, -1]), ...pick([inputs, given(), listOf(pickHandle)])];
    },
    runInChunks: () => {
      const { program, inputs } = anyProgram();
      const given = pick([inputs, inputs.map(pickHandle), handlesIn()]);
      return [
        program,
        pick([2, 3, 6, dims()]),
        pick([1, 2, dims()]),
        pick([1, dims()]),
        Array.from({ length: given.length }, flag),
        given,
      ];
    },
    start: () => [
      callback(),
      chance(0.1)
        ? hostile()
        : (failure) => {
            if (chance(0.2)) upset();
            if (failure !== undefined) state.wrongFailure?.(failure);
          },
    ],
    resolvePending: () => [pick([pickHandle(), pick(state.foreign)])],
    refuseIf: () => [pick([pickHandle(), pick(state.foreign)])],
    // With a hook that fails; the real one is connected again.
    connect: () => [pick([{ emitWarning: pick([script(), upset]) }, {}, trappedObject(), hostile()])],
  };

  const nativeNames = Object.keys(native).filter((name) => typeof native[name] === 'function');

  /** libtorch warns of a variance of one number, here and off this thread. */
  function warn() {
    const one = native.fromBytes(new Float32Array(1), 6, [1]);
    const variance = () => operatorOf('var.correction')(one);
    if (chance(0.5))
      native.start(
        () => [variance()],
        () => {},
      );
    variance();
  }

  function callsOf(name) {
    const call = native[name];
    if (name === 'trace') {
      return (inputs, fn) => {
        const program = call(inputs, fn);
        state.programs[below(4)] = { program, inputs: [...inputs] };
        state.programs = state.programs.filter(Boolean);
      };
    }
    if (name === 'connect') {
      return (hooks) => {
        const reconnect = () => call({ emitWarning: () => {} });
        try {
          call(hooks);
          warn();
        } finally {
          // Or after calls off this thread have ended, and warned.
          if (chance(0.5)) reconnect();
          else setTimeout(reconnect, 5);
        }
      };
    }
    return call;
  }

  function nativeEntry(name = pick(nativeNames)) {
    const fitting =
      nativeArguments[name] ?? (() => listOf(() => pick([pickHandle(), pickHandle(), pick(state.foreign)]), 2));
    const args = chance(0.9)
      ? fitting().map((value) => (chance(0.07) ? hostile() : value))
      : listOf(() => (chance(0.6) ? pick([pickHandle(), handlesIn(), 6, [6], [2, 3], typedArray()]) : hostile()), 6);
    // No thread pools of any size.
    if (name === 'setNumThreads' && ['number', 'bigint'].includes(typeof args[0]) && args[0] > 1) args[0] = 1;
    return { name: `native.${name}`, isNative: true, call: callsOf(name), args };
  }

  /** The entries with the most states. */
  const busy = [
    'trace',
    'run',
    'runInChunks',
    'start',
    'customFunction',
    'backward',
    'grad',
    'share',
    'startTransfer',
    'finishTransfer',
  ];

  // ---- the public interface

  // More threads cost time and nothing else. Errors are made by JavaScript, which makes strings of anything.
  const skipped = /^setNumThreads$|Error$/;
  const exportsOf = (object) =>
    Object.keys(object).filter((name) => typeof object[name] === 'function' && !skipped.test(name));
  const namespaces = {
    torch,
    F: torch.nn.functional,
    nn: torch.nn,
    distributions: torch.distributions,
    cuda: torch.cuda,
  };

  function publicFunction() {
    const [space, holder] = pick(Object.entries(namespaces));
    const name = pick(exportsOf(holder));
    const target = holder[name];
    const args = listOf(() => (chance(0.5) ? pick([pickTensor(), pickTensor(), dims(), {}]) : hostile()), 4);
    const isClass = /^class/.test(Function.prototype.toString.call(target));
    const call = isClass ? (...given) => new target(...given).forward?.(...args, ...args) : target;
    return { name: `${space}.${name}`, call, args };
  }

  const camelCase = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  const losses = Object.entries(signatures).map(([name, parameters]) => ({
    name: camelCase(name),
    required: parameters.filter((parameter) => !('default' in parameter)).length,
    options: parameters.filter((parameter) => 'default' in parameter),
  }));

  function option({ name, default: value }) {
    if (chance(0.2)) return hostile();
    if (name === 'reduction') return pick(['none', 'mean', 'sum', 'batchmean']);
    if (typeof value === 'boolean') return chance(0.5);
    if (typeof value === 'number') return pick([value, ...numbers]);
    return pick([undefined, pickTensor()]);
  }

  /** A loss in one of its forms, with options that it knows. */
  function loss() {
    const { name, required, options } = pick(losses);
    const target = torch.nn.functional[name];
    const forms = {
      [name]: target,
      [`${name}.item`]: target.item,
      [`${name}.async`]: target.async,
      [`valueAndGrad(${name})`]: torch.valueAndGrad(target),
      [`valueAndGrad(${name}).async`]: torch.valueAndGrad(target).async,
    };
    const [form, call] = pick(Object.entries(forms).filter(([, value]) => typeof value === 'function'));
    const args = Array.from({ length: required }, () => (chance(0.85) ? pickTensor() : hostile()));
    if (chance(0.7)) {
      const chosen = options.filter(() => chance(0.4)).map((each) => [camelCase(each.name), option(each)]);
      args.push(chance(0.1) ? trappedObject() : Object.fromEntries(chosen));
    }
    return { name: `F.${form}`, call, args };
  }

  const members = Object.getOwnPropertyDescriptors(torch.Tensor.prototype);
  const memberNames = Reflect.ownKeys(members).filter((name) => name !== 'constructor');

  function member() {
    const name = pick(memberNames);
    const { get, set, value } = members[name];
    const self = chance(0.9) ? pickTensor() : hostile();
    const args = listOf(() => (chance(0.6) ? pick([pickTensor(), dims(), [dims(), dims()], {}]) : hostile()), 3);
    const method = get === undefined ? value : chance(0.7) || set === undefined ? get : set;
    return { name: `Tensor#${String(name)}`, call: (...given) => method.apply(self, given), args, self };
  }

  const busyEntry = () => nativeEntry(pick(busy));
  const all = [nativeOperator, atenOperator, () => nativeEntry(), busyEntry, publicFunction, loss, member];
  return {
    all,
    entries: [...nativeNames.map((name) => `native.${name}`), ...schemas.map(({ name }) => `native ${name}`)],
  };
}

module.exports = { makersOfCalls };
