/**
 * The instructions of Python's pickles that files of tensors are written with, protocols 2 to 5. **Source**: Python's
 * `pickletools`, and `torch/_weights_only_unpickler.py` for what is let through.
 */

/** What follows an instruction: so many bytes, a length with as many bytes behind it, or lines of text. */
export type Operand = { readonly bytes: number } | { readonly lengthBytes: 1 | 4 | 8 } | { readonly lines: number };

const none: Operand = { bytes: 0 };
const one: Operand = { bytes: 1 };
const four: Operand = { bytes: 4 };

/** Each instruction by its byte: Python's name for it, and what follows. */
export const opcodes: ReadonlyMap<number, readonly [name: string, operand: Operand]> = new Map<
  number,
  readonly [string, Operand]
>([
  [0x80, ['PROTO', one]],
  [0x95, ['FRAME', { bytes: 8 }]],
  [0x2e, ['STOP', none]],
  [0x63, ['GLOBAL', { lines: 2 }]],
  [0x93, ['STACK_GLOBAL', none]],
  [0x52, ['REDUCE', none]],
  [0x62, ['BUILD', none]],
  // Objects of classes: only known so that the names of the classes can be told.
  [0x81, ['NEWOBJ', none]],
  [0x92, ['NEWOBJ_EX', none]],
  [0x51, ['BINPERSID', none]],
  [0x28, ['MARK', none]],
  [0x30, ['POP', none]],
  [0x31, ['POP_MARK', none]],
  [0x4e, ['NONE', none]],
  [0x88, ['NEWTRUE', none]],
  [0x89, ['NEWFALSE', none]],
  [0x4b, ['BININT1', one]],
  [0x4d, ['BININT2', { bytes: 2 }]],
  [0x4a, ['BININT', four]],
  [0x8a, ['LONG1', { lengthBytes: 1 }]],
  [0x8b, ['LONG4', { lengthBytes: 4 }]],
  [0x47, ['BINFLOAT', { bytes: 8 }]],
  [0x58, ['BINUNICODE', { lengthBytes: 4 }]],
  [0x8c, ['SHORT_BINUNICODE', { lengthBytes: 1 }]],
  [0x8d, ['BINUNICODE8', { lengthBytes: 8 }]],
  [0x55, ['SHORT_BINSTRING', { lengthBytes: 1 }]],
  [0x54, ['BINSTRING', { lengthBytes: 4 }]],
  [0x43, ['SHORT_BINBYTES', { lengthBytes: 1 }]],
  [0x42, ['BINBYTES', { lengthBytes: 4 }]],
  [0x8e, ['BINBYTES8', { lengthBytes: 8 }]],
  [0x96, ['BYTEARRAY8', { lengthBytes: 8 }]],
  [0x29, ['EMPTY_TUPLE', none]],
  [0x85, ['TUPLE1', none]],
  [0x86, ['TUPLE2', none]],
  [0x87, ['TUPLE3', none]],
  [0x74, ['TUPLE', none]],
  [0x5d, ['EMPTY_LIST', none]],
  [0x61, ['APPEND', none]],
  [0x65, ['APPENDS', none]],
  [0x7d, ['EMPTY_DICT', none]],
  [0x73, ['SETITEM', none]],
  [0x75, ['SETITEMS', none]],
  [0x8f, ['EMPTY_SET', none]],
  [0x90, ['ADDITEMS', none]],
  [0x68, ['BINGET', one]],
  [0x6a, ['LONG_BINGET', four]],
  [0x71, ['BINPUT', one]],
  [0x72, ['LONG_BINPUT', four]],
  [0x94, ['MEMOIZE', none]],
]);
