/**
 * Finds out what is wrong with a library's file before the dynamic linker opens it: the linker reports `No such file`
 * for a library of another processor, and a truncated one ends the process when a page beyond the file's end is
 * touched.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** ELF's numbers of processors, by Node's names for them. */
const machines: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

const elfHeaderSize = 64;
const loadedSegment = 1;

/**
 * Why this machine cannot load the library, as far as its header says; `undefined` if nothing speaks against it, or
 * if the platform's libraries are not ELF.
 */
export function whyNotLoadable(path: string, platform: NodeJS.Platform, arch: string): string | undefined {
  if (platform !== 'linux') return undefined;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return (error as Error).message;
  }
  try {
    return faultOf(file, arch);
  } catch (error) {
    return (error as Error).message;
  } finally {
    closeSync(file);
  }
}

function faultOf(file: number, arch: string): string | undefined {
  const { size } = fstatSync(file);
  if (size === 0) return 'the file is empty';
  const header = read(file, 0, elfHeaderSize);
  if (header.subarray(0, 4).toString('latin1') !== '\x7fELF')
    return 'the file is not a library: it does not begin as one';
  // Anything but 64-bit little-endian has other offsets; the linker's own message is good enough.
  if (header.length < elfHeaderSize || header[4] !== 2 || header[5] !== 1) return undefined;
  const machine = header.readUInt16LE(18);
  const built = machines[machine] ?? `a processor that ELF gives the number ${machine}`;
  if (built !== arch) return `the library is for ${built}, but this Node is for ${arch}`;
  const end = endOfSegments(file, header);
  return end > size ? `the file is truncated: it has ${size} bytes, where its header tells of ${end}` : undefined;
}

/** The offset of the last byte that is mapped when the library is loaded. */
function endOfSegments(file: number, header: Buffer): number {
  const [entry, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  const table = read(file, Number(header.readBigUInt64LE(32)), entry * count);
  let end = 0;
  for (let at = 0; at + 56 <= table.length; at += entry) {
    if (table.readUInt32LE(at) !== loadedSegment) continue;
    end = Math.max(end, Number(table.readBigUInt64LE(at + 8)) + Number(table.readBigUInt64LE(at + 32)));
  }
  return end;
}

function read(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}
