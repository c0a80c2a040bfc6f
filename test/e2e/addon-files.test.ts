/** What the addons' files ask the dynamic linker for: names that every supported libtorch and Node has, and no path. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { cacheContents, cacheDirectory } from '../../lib/binding/cache';
import { thisHost } from '../../lib/binding/host';
import { locateLibtorch } from '../../lib/binding/locate';

const { symbols: nodeApi } = require('node-api-headers') as {
  symbols: Record<string, { js_native_api_symbols: string[]; node_api_symbols: string[] }>;
};

const root = resolve(__dirname, '../..');
const isArm = process.arch === 'arm64';
const libtorchLibraries = ['libtorch_cpu.so', 'libc10.so'];
const systemLibraries = [
  'libstdc++.so.6',
  'libgcc_s.so.1',
  'libc.so.6',
  'libm.so.6',
  isArm ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2',
];

/** Those of the checkout's build, and those that were made to be packed. */
const addons = ['build/native/Release', 'addons']
  .map((folder) => join(root, folder))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
  .filter((file) => file.endsWith('.node'))
  .map((file) => relative(root, file));

function readelf(option: string, file: string): string[] {
  return execFileSync('readelf', ['--wide', option, file], { encoding: 'utf8', maxBuffer: 2 ** 30 }).split('\n');
}

/** The entries of the dynamic section, as `NEEDED libc10.so`. */
function dynamic(file: string): string[] {
  return readelf('--dynamic', file).flatMap((line) => {
    const entry = /\((\w+)\).*\[(.*)\]/.exec(line);
    return entry === null ? [] : [`${entry[1]} ${entry[2]}`];
  });
}

/** Names that are bound at loading; weak ones may stay unbound. */
function dynamicSymbols(file: string): { asked: string[]; offered: string[] } {
  const found = { asked: [] as string[], offered: [] as string[] };
  for (const line of readelf('--dyn-syms', file)) {
    const [, , , , bind, , section, name = ''] = line.trim().split(/\s+/);
    if (bind !== 'GLOBAL' && bind !== 'WEAK' && bind !== 'UNIQUE') continue;
    const plain = name.replace(/@.*$/, '');
    if (section !== 'UND') found.offered.push(plain);
    else if (bind !== 'WEAK') found.asked.push(plain);
  }
  return found;
}

/** A libtorch of the minor version that an addon's path names. */
function libtorchFor(addon: string): string | undefined {
  const minor = /libtorch-(\d+\.\d+)/.exec(addon)?.[1];
  const installs = cacheContents(cacheDirectory(process.env, thisHost())).installs;
  const found = [
    locateLibtorch(),
    ...installs.map(({ path, marker }) => ({ version: marker.version, lib: join(path, 'torch', 'lib') })),
  ];
  return found.find(({ version }) => version?.startsWith(`${minor}.`))?.lib;
}

if (process.platform !== 'linux') {
  test('is looked at on Linux only', () => {
    process.stdout.write(`the addons are not ELF files on ${process.platform}: nothing to look at\n`);
  });
} else {
  describe.each(addons)('%s', (addon) => {
    const file = join(root, addon);

    test('needs few libraries, by name', () => {
      const entries = dynamic(file);
      const needed = entries.filter((entry) => entry.startsWith('NEEDED ')).map((entry) => entry.slice(7));
      const known = addon.includes('loader') ? systemLibraries : [...libtorchLibraries, ...systemLibraries];
      expect(needed.filter((library) => !known.includes(library))).toEqual([]);
      expect(needed).toContain('libc.so.6');
      expect(entries.filter((entry) => /^(RPATH|RUNPATH) /.test(entry))).toEqual([]);
    });

    test('asks for what these and Node offer', () => {
      const lib = addon.includes('loader') ? undefined : libtorchFor(addon);
      if (lib === undefined && !addon.includes('loader')) {
        process.stdout.write(`${addon}: no libtorch of its version is at hand, so its symbols are not compared\n`);
        return;
      }
      const offered = new Set(
        Object.values(nodeApi).flatMap((version) => [...version.js_native_api_symbols, ...version.node_api_symbols]),
      );
      for (const library of lib === undefined ? [] : libtorchLibraries) {
        for (const name of dynamicSymbols(join(lib as string, library)).offered) offered.add(name);
      }
      for (const name of systemLibraries.flatMap(systemFile)) {
        for (const symbol of dynamicSymbols(name).offered) offered.add(symbol);
      }
      const { asked } = dynamicSymbols(file);
      expect(asked.filter((name) => !offered.has(name))).toEqual([]);
      expect(asked.length).toBeGreaterThan(10);
    });
  });
}

/** Where the dynamic linker finds a library of the system. */
function systemFile(name: string): string[] {
  const line = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' })
    .split('\n')
    .find((entry) => entry.includes(`\t${name} `) && entry.includes(isArm ? 'AArch64' : 'x86-64'));
  const path = line?.split('=> ')[1];
  return path === undefined ? [] : [path];
}
