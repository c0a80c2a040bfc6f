/**
 * Unpacks what libtorch needs from a PyTorch wheel (each file checked against the wheel's RECORD) or from a libtorch
 * archive (which has no RECORD: the zip's own checksums and the structure are checked).
 */
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Host } from '../../binding/host';
import { whyNotLoadable } from '../../binding/library-file';
import { libraryFile } from '../../binding/libtorch-tree';
import { parseVersion, type Version } from '../../binding/libtorch-versions';
import { installFailed } from '../shared/failures';
import { libcName, runsOn } from '../shared/platform';
import { megabytes, type Report } from '../shared/report';
import { printable } from '../shared/text';
import { type Archive, type ArchivedFile, damagedRemedies, openArchive, readArchived, unpackFile } from './archive';
import { parseRecord, type RecordedFile } from './record';

/** What an archive turned out to be. */
export interface Package {
  archive: Archive;
  kind: 'torch wheel' | 'companion wheel' | 'libtorch archive';
  version: Version;
  /** The files to unpack, by their path below the install. */
  targets: Map<string, ArchivedFile>;
  /** The wheel's RECORD; `undefined` for a libtorch archive. */
  record: Map<string, RecordedFile> | undefined;
  /** The requirements of a wheel, as its METADATA writes them. */
  requirements: string[];
}

/** What was unpacked. */
export interface Unpacked {
  files: number;
  bytes: number;
  /** Size of each shared library by its path below the install. */
  libraries: Record<string, number>;
}

/** Of a torch wheel: the libraries, the headers that the addon is built with, the version, and the licences. */
const torchPatterns = [
  /^[^/]+\.dist-info\//,
  /^torch\/lib\//,
  /^torch\/include\//,
  /^torch\/version\.py$/,
  /^torch\.libs\//,
  /^torch\/\.dylibs\//,
];
/** Of the packages that CUDA libraries come in: the libraries and the licences. */
const companionPatterns = [/^nvidia\/(?:[^/]+\/)*(?:lib|lib64|bin)\//, /^nvidia_[^/]+\.dist-info\//];
/** Python's own half of PyTorch, which no program outside Python can load, and the packages' Python sources. */
const pythonOnly = /(^|\/)(lib)?torch_python\.(so|dylib|dll|lib)$|^nvidia\/.*\.pyi?$/;
const sharedLibrary = /\.(so(\.\d+)*|dylib|dll)$/;

/** Opens an archive and says what it holds. The caller closes `archive.zip`. */
export async function openPackage(path: string, host: Host): Promise<Package> {
  const archive = await openArchive(path);
  try {
    const [record, another] = [...archive.files.keys()].filter((name) => /^[^/]+\.dist-info\/RECORD$/.test(name));
    if (another !== undefined) throw installFailed(`${path} holds two wheels: ${record} and ${another}`);
    return record === undefined ? await libtorchArchive(archive, host) : await wheel(archive, dirname(record), host);
  } catch (error) {
    archive.zip.close();
    throw error;
  }
}

async function wheel(archive: Archive, info: string, host: Host): Promise<Package> {
  const metadata = await textOf(archive, `${info}/METADATA`);
  const header = (name: string): string[] =>
    [...metadata.matchAll(new RegExp(`^${name}: *(.*?)\\r?$`, 'gm'))].map((m) => m[1] as string);
  const isTorch = header('Name')[0] === 'torch';
  if (isTorch) await checkPlatform(archive, 'torch/lib', host, `${info}/WHEEL`);
  const patterns = isTorch ? torchPatterns : companionPatterns;
  return {
    archive,
    kind: isTorch ? 'torch wheel' : 'companion wheel',
    version: versionOf(archive, header('Version')[0] ?? ''),
    targets: select(archive, (name) => (patterns.some((pattern) => pattern.test(name)) ? name : undefined)),
    record: parseRecord(await textOf(archive, `${info}/RECORD`)),
    requirements: header('Requires-Dist'),
  };
}

/** The archives that PyTorch offers to C++ programs: `libtorch/lib/…`, `libtorch/build-version`. */
async function libtorchArchive(archive: Archive, host: Host): Promise<Package> {
  const version = archive.files.get('libtorch/build-version');
  if (version === undefined) {
    throw installFailed(`${archive.path} is neither a PyTorch wheel nor a libtorch archive`, [
      'a wheel holds torch-<version>.dist-info/RECORD, a libtorch archive libtorch/build-version',
    ]);
  }
  await checkPlatform(archive, 'libtorch/lib', host);
  return {
    archive,
    kind: 'libtorch archive',
    version: versionOf(archive, await textOf(archive, version.name)),
    targets: select(archive, (name) =>
      name.startsWith('libtorch/') ? name.replace(/^libtorch\//, 'torch/') : undefined,
    ),
    record: undefined,
    requirements: [],
  };
}

function select(archive: Archive, place: (name: string) => string | undefined): Map<string, ArchivedFile> {
  const targets = new Map<string, ArchivedFile>();
  for (const file of archive.files.values()) {
    const target = pythonOnly.test(file.name) ? undefined : place(file.name);
    if (target !== undefined) targets.set(target, file);
  }
  return targets;
}

function versionOf(archive: Archive, text: string): Version {
  const version = parseVersion(text);
  if (version !== undefined) return version;
  const shown = printable(text.trim().slice(0, 100));
  throw installFailed(`${archive.path} states the version '${shown}', which is invalid`, damagedRemedies);
}

/** Many times the size of torch's RECORD, the longest of the texts. */
const maxTextBytes = 64e6;

async function textOf(archive: Archive, name: string): Promise<string> {
  const file = archive.files.get(name);
  if (file === undefined) throw installFailed(`${archive.path} lacks ${name}`, damagedRemedies);
  if (file.size > maxTextBytes)
    throw installFailed(`${name} in ${archive.path} has ${megabytes(file.size)}`, damagedRemedies);
  return (await readArchived(archive, file)).toString('utf8');
}

/** Refuses an archive whose libraries are another operating system's or processor's. */
async function checkPlatform(archive: Archive, lib: string, host: Host, wheelFile?: string): Promise<void> {
  const tags = wheelFile === undefined ? '' : await textOf(archive, wheelFile);
  const built = [...tags.matchAll(/^Tag: *[^-\s]+-[^-\s]+-(\S+)/gm)].map((match) => match[1] as string);
  const library = `${lib}/${libraryFile('torch_cpu', host.platform)}`;
  const fits = wheelFile === undefined || built.some((tag) => runsOn(tag, host));
  if (archive.files.has(library) && fits) return;
  const named = built.length === 0 ? 'no platform that its WHEEL names' : built.slice(0, 10).join(', ');
  const what = fits ? `holds no ${library}` : `is for ${printable(named)}`;
  throw installFailed(`${archive.path} ${what}, but this machine is ${describeHost(host)}`, [
    'choose the wheel or archive for this machine',
  ]);
}

function describeHost(host: Host): string {
  const libc = libcName(host);
  return `${host.platform} ${host.arch}${libc === '' ? '' : ` with ${libc}`}`;
}

/** Unpacks the targets files of all packages into a directory, each verified; several small ones at a time. */
export async function unpackPackages(
  packages: readonly Package[],
  directory: string,
  options: { report: Report; signal: AbortSignal },
): Promise<Unpacked> {
  const work = packages.flatMap((pack) => [...pack.targets].map(([target, file]) => ({ pack, target, file })));
  const bytes = work.reduce((sum, { file }) => sum + file.size, 0);
  await checkSpace(directory, bytes);
  for (const pack of packages) checkComplete(pack);
  // The largest first, so that they do not run alone at the end.
  work.sort((a, b) => b.file.size - a.file.size);
  const progress = options.report.progress('unpacking', bytes);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    progress.update(done);
  };
  const queue = work.values();
  const worker = async (): Promise<void> => {
    for (const { pack, target, file } of queue) {
      signal.throwIfAborted();
      verify(pack, file, await unpackFile(pack.archive, file, directory, target, { signal, onBytes }));
    }
  };
  const workers = Array.from({ length: 6 }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(workers);
    throw error;
  } finally {
    progress.stop();
  }
  const libraries = work.filter(({ target }) => sharedLibrary.test(target));
  return {
    files: work.length,
    bytes,
    libraries: Object.fromEntries(libraries.map(({ target, file }) => [target, file.size]).sort()),
  };
}

/** Refuses libraries of another kind than the archive says they are; an archive without a WHEEL does not even say. */
export function checkLibraries(torch: Package, directory: string, host: Host): void {
  for (const name of ['c10', 'torch_cpu']) {
    const library = `torch/lib/${libraryFile(name, host.platform)}`;
    const reason = whyNotLoadable(join(directory, library), host.platform, host.arch);
    if (reason === undefined) continue;
    throw installFailed(`${library} in ${torch.archive.path} cannot be used: ${reason}`, [
      'choose the wheel or archive for this machine',
    ]);
  }
}

async function checkSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes) return;
  throw installFailed(
    `needs ${megabytes(bytes)} in ${dirname(directory)}, where ${megabytes(bavail * bsize)} are free`,
    ['LIBTORCH_LOSSES_CACHE=/another/directory     installs elsewhere (set it too when you use the package)'],
  );
}

/** Every file that RECORD lists among the targets ones must be in the archive: a lost one would show only when used. */
function checkComplete({ archive, record, targets, kind }: Package): void {
  if (record === undefined) return;
  const patterns = kind === 'torch wheel' ? torchPatterns : companionPatterns;
  for (const name of record.keys()) {
    if (pythonOnly.test(name) || targets.has(name) || !patterns.some((pattern) => pattern.test(name))) continue;
    throw installFailed(`${archive.path} lacks ${name}, which its RECORD lists`, damagedRemedies);
  }
}

/** The content must be what RECORD says. RECORD itself, and a signature of it, have no line that could say so. */
function verify({ archive, record }: Package, file: ArchivedFile, sha256: string): void {
  if (record === undefined || /^[^/]+\.dist-info\/RECORD(\.jws|\.p7s)?$/.test(file.name)) return;
  const recorded = record.get(file.name);
  if (recorded?.sha256 === sha256 && (recorded.size ?? file.size) === file.size) return;
  const what = recorded === undefined ? 'is not listed in' : 'differs from what is listed in';
  throw installFailed(`${file.name} in ${archive.path} ${what} the wheel's RECORD`, damagedRemedies);
}
