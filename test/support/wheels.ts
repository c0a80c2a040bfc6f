/** Small wheels and archives that look like PyTorch's, for this machine or another. */
import { createHash } from 'node:crypto';
import { libraryFile } from '../../lib/binding/libtorch-tree';
import { type ZipFile, zip } from './zip';

/** How a wheel differs from a good one of torch 2.13.0+cpu for this machine. */
export interface WheelChanges {
  name?: string;
  version?: string;
  /** The wheel's platform tag. */
  platform?: string;
  /** Files beside those that every torch wheel here has. */
  extra?: readonly ZipFile[];
  /** Lines of METADATA that name what it requires. */
  requirements?: readonly string[];
  /** The lines of WHEEL; by default those of a wheel for the platform. */
  tags?: readonly string[];
  /** Changes the files after RECORD was made of them. */
  tamper?(files: ZipFile[]): ZipFile[];
}

/** The platform tag of wheels for this machine. */
export const thisPlatform = (
  {
    'linux x64': 'manylinux_2_28_x86_64',
    'linux arm64': 'manylinux_2_28_aarch64',
    'darwin arm64': 'macosx_14_0_arm64',
    'win32 x64': 'win_amd64',
  } as Record<string, string>
)[`${process.platform} ${process.arch}`] as string;

/** What stands in for a library: of one for Linux the head that tells the processor. */
export function library(text: string | Buffer, arch: string = process.arch): Buffer {
  if (process.platform !== 'linux') return Buffer.from(text);
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(arch === 'arm64' ? 183 : 62, 18);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** What stands in for the big library: over 1 MB, so that it takes the way of large files. */
export const bigLibrary = library(Buffer.alloc(3 << 20, 'not really a library '));

/** What stands in for the small one. */
export const coreLibrary = library('the core library');

/** The path of a library in a wheel for this machine: `torch/lib/libc10.so`. */
export function libraryPath(name: string): string {
  return `torch/lib/${libraryFile(name, process.platform)}`;
}

/** The name of a wheel's file. */
export function wheelName(changes: WheelChanges = {}): string {
  const { name = 'torch', version = '2.13.0+cpu', platform = thisPlatform } = changes;
  return `${name.replaceAll('-', '_')}-${version}-cp312-cp312-${platform}.whl`;
}

/** The bytes of a wheel. */
export function wheel(changes: WheelChanges = {}): Buffer {
  const { name = 'torch', version = '2.13.0+cpu', platform = thisPlatform, requirements = [] } = changes;
  const info = `${name.replaceAll('-', '_')}-${version.replaceAll(/[^\w.+]/g, '_')}.dist-info`;
  const tags = changes.tags ?? [`cp312-cp312-${platform}`];
  const required = ['typing-extensions>=4.10.0', ...requirements].map((line) => `Requires-Dist: ${line}\n`);
  const files: ZipFile[] = [
    ...(name === 'torch' ? torchFiles(version) : []),
    ...(changes.extra ?? []),
    {
      name: `${info}/METADATA`,
      content: `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n${required.join('')}`,
    },
    { name: `${info}/WHEEL`, content: ['Wheel-Version: 1.0', ...tags.map((tag) => `Tag: ${tag}`), ''].join('\n') },
    { name: `${info}/licenses/LICENSE`, content: 'a licence' },
  ];
  const record = { name: `${info}/RECORD`, content: `${files.map(recordLine).join('')}${info}/RECORD,,\n` };
  const whole = [...files, record];
  return zip(changes.tamper?.(whole) ?? whole);
}

function torchFiles(version: string): ZipFile[] {
  return [
    { name: 'torch/__init__.py', content: 'raise ImportError' },
    { name: 'torch/version.py', content: `from typing import Optional\n__version__ = '${version}'\n` },
    { name: libraryPath('torch_cpu'), content: bigLibrary, mode: 0o100755 },
    { name: libraryPath('c10'), content: coreLibrary, mode: 0o100755 },
    { name: libraryPath('torch_python'), content: 'for Python only' },
    { name: 'torch/include/ATen/ATen.h', content: '#pragma once\n' },
    { name: 'torch/include/a, b.h', content: 'a name that RECORD quotes\n' },
  ];
}

function recordLine({ name, content }: ZipFile): string {
  const bytes = Buffer.from(content);
  const sha256 = createHash('sha256').update(bytes).digest('base64url');
  const path = name.includes(',') ? `"${name}"` : name;
  return `${path},sha256=${sha256},${bytes.length}\n`;
}

/** The bytes of an archive such as PyTorch offers to C++ programs. */
export function libtorchArchive(version = '2.13.0+cpu', core: Buffer = coreLibrary): Buffer {
  const lib = (name: string): string => `libtorch/lib/${libraryFile(name, process.platform)}`;
  return zip([
    { name: 'libtorch/build-version', content: `${version}\n` },
    { name: lib('torch_cpu'), content: bigLibrary, mode: 0o100755 },
    { name: lib('c10'), content: core, mode: 0o100755 },
    { name: 'libtorch/include/ATen/ATen.h', content: '#pragma once\n' },
  ]);
}
