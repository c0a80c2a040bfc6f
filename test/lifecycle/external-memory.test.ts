/**
 * Telling V8 of a large tensor may collect garbage there and then, which runs the finalizers of small ones, which tell
 * V8 of what they freed. A collection inside the collection would end the process.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadedLibtorch } from '../../lib/binding/load';

const root = resolve(__dirname, '../..');

test('a loop that drops large and small tensors survives the collections that it causes', () => {
  const program = `
    const torch = require(${JSON.stringify(join(root, 'dist', 'index.js'))});
    for (let i = 0; i < 300; i++) {
      for (let j = 0; j < 50; j++) torch.empty([4]);
      torch.empty([32 * 1024 * 1024]);
    }
    console.log(torch.memory().tensors < 300 * 51);
  `;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect({ stdout, stderr, status, signal }).toEqual({ stdout: 'true\n', stderr: '', status: 0, signal: null });
});

test('tensors that are disposed bring on no collections, those that are dropped do', () => {
  const program = `
    const { PerformanceObserver } = require('node:perf_hooks');
    const { setImmediate: turn } = require('node:timers/promises');
    const torch = require(${JSON.stringify(join(root, 'dist', 'index.js'))});
    let collections = 0;
    new PerformanceObserver((list) => {
      collections += list.getEntries().filter(({ detail }) => detail.kind === 4).length;
    }).observe({ entryTypes: ['gc'] });
    async function collectionsOf(work) {
      await turn();
      collections = 0;
      for (let i = 0; i < 300; i++) work();
      await turn();
      await turn();
      return collections;
    }
    const make = () => torch.empty([32 * 1024 * 1024]);
    (async () => {
      const disposed = await collectionsOf(() => make().dispose());
      const dropped = await collectionsOf(make);
      console.log(JSON.stringify({ disposed, dropped }));
    })();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { disposed, dropped } = JSON.parse(stdout) as { disposed: number; dropped: number };
  expect(disposed).toBeLessThan(4);
  expect(dropped).toBeGreaterThan(10);
});

test('no memory of libtorch becomes an ArrayBuffer: runtimes that forbid that, as Electron does, lack nothing', () => {
  // Elements are copied into arrays that JavaScript has made. Each of these makes an ArrayBuffer over other memory.
  const forbidden = /(?:napi|node_api)_create_external_(?:arraybuffer|buffer|sharedarraybuffer)/;
  const imported = readFileSync(loadedLibtorch().addon, 'latin1').match(/(?:napi|node_api)_[a-z_0-9]+/g) ?? [];
  expect(imported).toContain('napi_get_typedarray_info');
  expect(imported.filter((name) => forbidden.test(name))).toEqual([]);
});
