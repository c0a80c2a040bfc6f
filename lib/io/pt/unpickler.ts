/**
 * A reader of Python's pickles that can do nothing but build plain data: numbers, strings, lists, tuples, dictionaries, and
 * what a caller makes of the few names that it knows. There is no code in it that looks a name up anywhere else.
 */
import { badData, listNames, quote } from '../bad-data';
import { opcodes } from './opcodes';
import { isKey, isMap, isTuple, kindOf, remember, tuple } from './python-types';

/** A name of Python's that a pickle uses. */
export class Global {
  /** With its module: `collections.OrderedDict`. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What pickles may use besides plain data. */
export interface Vocabulary {
  /** Whether a name is known. */
  has(name: string): boolean;
  /** What a call of a name gives. */
  call(name: string, args: readonly unknown[]): unknown;
  /** What a name stands for where it is used as a value; `undefined` for one that can only be called. */
  value(name: string): unknown;
  /** What is kept outside of the pickle under an identity. */
  persistent(id: unknown): unknown;
}

/** Integers are not believed to have more bytes. */
const maxInteger = 4096;

/** Reads one pickle. */
export class Unpickler {
  readonly #name: string;
  readonly #bytes: Buffer;
  readonly #words: Vocabulary;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;
  /** Where the current instruction begins. */
  #start = 0;

  constructor(name: string, bytes: Buffer, words: Vocabulary) {
    this.#name = name;
    this.#bytes = bytes;
    this.#words = words;
  }

  /**
   * The value. All instructions are looked at, and names that are not known refused, before anything is built.
   *
   * @throws TorchError `BAD_DATA`.
   */
  load(): unknown {
    this.#scan();
    this.#at = 0;
    for (;;) {
      const [name, operand] = this.#next();
      if (name === 'STOP') break;
      this.#run(name, operand);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#fault('values are left when the pickle ends');
    return this.#checked(value);
  }

  /** An error about the current instruction. */
  #fault(reason: string): Error {
    return badData(this.#name, reason, { offset: this.#start });
  }

  #scan(): void {
    const unknown = new Set<string>();
    for (let name = ''; name !== 'STOP'; ) {
      let operand: Buffer;
      [name, operand] = this.#next();
      if (name !== 'GLOBAL') continue;
      const global = globalName(...(operand.toString('utf8').split('\n') as [string, string]));
      if (!this.#words.has(global)) unknown.add(global);
    }
    if (unknown.size > 0) throw this.#unknown([...unknown]);
    if (this.#at < this.#bytes.length) throw this.#fault('more bytes follow the end of the pickle');
  }

  #unknown(names: readonly string[]): Error {
    const list = listNames(names);
    const reason = `uses ${list}, which ${names.length === 1 ? 'is' : 'are'} not read: only tensors, containers, numbers and text are`;
    return badData(this.#name, `${reason}; in Python, save a state_dict() instead of an object`);
  }

  /** The next instruction and what follows it. */
  #next(): [name: string, operand: Buffer] {
    this.#start = this.#at;
    const code = this.#take(1)[0] as number;
    const found = opcodes.get(code);
    if (found === undefined) throw this.#fault(`has the instruction 0x${code.toString(16)}, which is not read`);
    const [name, operand] = found;
    if ('bytes' in operand) return [name, this.#take(operand.bytes)];
    if ('lines' in operand) return [name, this.#lines(operand.lines)];
    const length = this.#take(operand.lengthBytes);
    const count =
      operand.lengthBytes === 8 ? Number(length.readBigUInt64LE()) : length.readUIntLE(0, operand.lengthBytes);
    return [name, this.#take(count)];
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length)
      throw this.#fault(`needs ${count} bytes, but the pickle ends after ${this.#bytes.length}`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** As many lines, without the end of the last one. */
  #lines(count: number): Buffer {
    const from = this.#at;
    for (let i = 0; i < count; i++) {
      const end = this.#bytes.indexOf(0x0a, this.#at);
      if (end < 0) throw this.#fault('has a line that does not end');
      this.#at = end + 1;
    }
    return this.#bytes.subarray(from, this.#at - 1);
  }

  #run(name: string, operand: Buffer): void {
    const value = constants.get(name);
    if (value !== undefined) return void this.#stack.push(value(operand, (reason) => this.#fault(reason)));
    (this.#instructions[name] as (operand: Buffer) => void)(operand);
  }

  readonly #instructions: Readonly<Record<string, (operand: Buffer) => void>> = {
    PROTO: ([protocol]) => {
      if ((protocol as number) < 2 || (protocol as number) > 5)
        throw this.#fault(`is of protocol ${protocol}; 2 to 5 are read`);
    },
    FRAME: () => undefined,
    GLOBAL: (text) => this.#stack.push(this.#global(...(text.toString('utf8').split('\n') as [string, string]))),
    STACK_GLOBAL: () => {
      const [module, name] = [this.#pop(1), this.#pop()].reverse() as [unknown, unknown];
      if (typeof module !== 'string' || typeof name !== 'string') throw this.#fault('has a name that is not text');
      this.#stack.push(this.#global(module, name));
    },
    REDUCE: () => {
      const [args, callee] = [this.#pop(1), this.#pop()];
      if (!(callee instanceof Global) || !isTuple(args)) throw this.#fault('calls what is not a function');
      this.#stack.push(this.#words.call(callee.name, args));
    },
    BUILD: () => this.#build(),
    NEWOBJ: () => this.#refuseObject(),
    NEWOBJ_EX: () => this.#refuseObject(),
    BINPERSID: () => this.#stack.push(this.#words.persistent(this.#pop())),
    MARK: () => this.#marks.push(this.#stack.length),
    POP: () => this.#pop(),
    POP_MARK: () => this.#popMark(),
    TUPLE1: () => this.#stack.push(tuple([this.#pop()])),
    TUPLE2: () => this.#stack.push(tuple([this.#pop(1), this.#pop()].reverse())),
    TUPLE3: () => this.#stack.push(tuple([this.#pop(2), this.#pop(1), this.#pop()].reverse())),
    TUPLE: () => this.#stack.push(tuple(this.#popMark())),
    APPEND: () => this.#append([this.#pop(1)]),
    APPENDS: () => this.#append(this.#popMark()),
    SETITEM: () => this.#setItems([this.#pop(2), this.#pop(1)].reverse()),
    SETITEMS: () => this.#setItems(this.#popMark()),
    ADDITEMS: () => {
      const items = this.#popMark();
      const set = this.#top();
      if (!(set instanceof Set)) throw this.#fault('adds to what is not a set');
      for (const item of items) set.add(this.#key(item));
    },
    BINGET: ([index]) => this.#get(index as number),
    LONG_BINGET: (index) => this.#get(index.readUInt32LE()),
    BINPUT: ([index]) => this.#memo.set(index as number, this.#top()),
    LONG_BINPUT: (index) => this.#memo.set(index.readUInt32LE(), this.#top()),
    MEMOIZE: () => this.#memo.set(this.#memo.size, this.#top()),
  };

  /** The last value, if there is one in front of the last mark, and `behind` more before it. */
  #pop(behind = 0): unknown {
    if (this.#stack.length - behind <= (this.#marks.at(-1) ?? 0))
      throw this.#fault('takes a value where there is none');
    return this.#stack.pop();
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#fault('takes a value where there is none');
    return this.#stack.at(-1);
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#fault('takes values up to a mark where there is none');
    return this.#stack.splice(mark);
  }

  #global(module: string, name: string): unknown {
    const global = globalName(module, name);
    if (!this.#words.has(global)) throw this.#unknown([global]);
    return this.#words.value(global) ?? new Global(global);
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw this.#fault(`takes the value ${index} of its memo, which does not exist`);
    this.#stack.push(this.#memo.get(index));
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || isTuple(list)) throw this.#fault('appends to what is not a list');
    for (const item of items) (list as unknown[]).push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const dictionary = this.#top();
    if (!isMap(dictionary) || items.length % 2 !== 0) throw this.#fault('sets items of what is not a dictionary');
    for (let i = 0; i < items.length; i += 2) dictionary.set(this.#key(items[i]), items[i + 1]);
  }

  #key(value: unknown): unknown {
    if (isKey(value)) return value;
    throw this.#fault('has a key that is not a number, text, tuple or None');
  }

  #refuseObject(): never {
    throw this.#fault('makes an object of a class, which is not read');
  }

  /** State that is given to an object after it was made: what state dicts say of their modules' versions. */
  #build(): void {
    const [state, object] = [this.#pop(1), this.#top()];
    if (!isMap(object) || kindOf(object) !== 'OrderedDict' || !isMap(state)) {
      throw this.#fault('sets attributes of what is not an OrderedDict');
    }
    for (const [key, value] of state) {
      if (key !== '_metadata')
        throw this.#fault(`sets the attribute ${quote(String(key))} of an OrderedDict, which is not read`);
      Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });
    }
  }

  /** The value, if it is plain data all through: functions and storages are parts of tensors only. */
  #checked(value: unknown): unknown {
    const seen = new Set<unknown>();
    const waiting = [value];
    while (waiting.length > 0) {
      const item = waiting.pop();
      if (typeof item !== 'object' || item === null || seen.has(item)) continue;
      seen.add(item);
      if (item instanceof Global) throw badData(this.#name, `holds ${item.name} itself, which is not plain data`);
      if (isOpaque(item))
        throw badData(this.#name, 'holds a storage outside of a tensor, which is not read; save a tensor');
      if (Array.isArray(item)) for (const inner of item) waiting.push(inner);
      else if (isMap(item)) {
        for (const [key, inner] of item) waiting.push(key, inner);
        waiting.push((item as { _metadata?: unknown })._metadata);
      }
    }
    return value;
  }
}

/** Marks what may be a part of tensors only. */
export abstract class Opaque {}

function isOpaque(value: object): boolean {
  return value instanceof Opaque;
}

/** The name by which Python 3 knows what protocol 2 calls by its name in Python 2. */
function globalName(module: string, name: string): string {
  return `${module === '__builtin__' ? 'builtins' : module}.${name}`;
}

type Constant = (operand: Buffer, fault: (reason: string) => Error) => unknown;

const text: Constant = (bytes, fault) => {
  const decoded = bytes.toString('utf8');
  // What is not UTF-8 is replaced by three bytes for each fault.
  if (decoded.includes('\ufffd') && !Buffer.from(decoded).equals(bytes)) throw fault('has a text that is not UTF-8');
  return decoded;
};

const long: Constant = (bytes, fault) => {
  if (bytes.length > maxInteger) throw fault(`has an integer of ${bytes.length} bytes; at most ${maxInteger} are read`);
  const digits = Buffer.from(bytes).reverse().toString('hex');
  const value = digits === '' ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${digits}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
};

const bytesOf: Constant = (bytes) => new Uint8Array(bytes);

const constants: ReadonlyMap<string, Constant> = new Map<string, Constant>([
  ['NONE', () => null],
  ['NEWTRUE', () => true],
  ['NEWFALSE', () => false],
  ['BININT1', ([value]) => value],
  ['BININT2', (bytes) => bytes.readUInt16LE()],
  ['BININT', (bytes) => bytes.readInt32LE()],
  ['LONG1', long],
  ['LONG4', long],
  ['BINFLOAT', (bytes) => bytes.readDoubleBE()],
  ['BINUNICODE', text],
  ['SHORT_BINUNICODE', text],
  ['BINUNICODE8', text],
  ['SHORT_BINSTRING', text],
  ['BINSTRING', text],
  ['SHORT_BINBYTES', bytesOf],
  ['BINBYTES', bytesOf],
  ['BINBYTES8', bytesOf],
  ['BYTEARRAY8', (bytes) => remember(new Uint8Array(bytes), 'bytearray')],
  ['EMPTY_TUPLE', () => tuple([])],
  ['EMPTY_LIST', () => []],
  ['EMPTY_DICT', () => new Map()],
  ['EMPTY_SET', () => new Set()],
]);
