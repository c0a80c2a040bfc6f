/** Checkpoints of processes that are killed, or that the disk has no room for: the last whole one stays. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { dist } from '../support/child';
import { folder } from '../support/folder';
import { testWhere } from '../support/where';

const here = folder('for each test');

const load = (path: string): Map<string, torch.Tensor> => torch.load<Map<string, torch.Tensor>>(path);

/** A process that writes checkpoints, each of one number a million times, until it is ended. */
const writer = (path: string): string => `
  const torch = require(${JSON.stringify(dist)});
  for (let step = 1; ; step++) {
    torch.save({ x: torch.full([1 << 20], step), step }, ${JSON.stringify(path)});
  }`;

test('a process that is killed while it saves leaves a whole checkpoint, and the next one takes its leftovers away', async () => {
  const path = join(here.path, 'checkpoint.pt');
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, ['-e', writer(path)], { stdio: 'ignore' });
    const ended = new Promise((done) => child.once('exit', done));
    while (!existsSync(path)) await new Promise((done) => setTimeout(done, 20));
    await new Promise((done) => setTimeout(done, 37 * round));
    child.kill('SIGKILL');
    await ended;
    const checkpoint = load(path);
    const step = checkpoint.get('step') as unknown as number;
    expect(checkpoint.get('x')?.eq(step).all().item()).toBe(true);
  }
  torch.save(1, path);
  expect(readdirSync(here.path)).toEqual(['checkpoint.pt']);
}, 60_000);

testWhere(process.platform !== 'win32', 'Windows has no limits of file sizes')(
  'where there is no room, the last checkpoint stays, and nothing else',
  () => {
    const [path, weights] = [join(here.path, 'checkpoint.pt'), join(here.path, 'weights.safetensors')];
    torch.save({ x: torch.ones([4]) }, path);
    torch.safetensors.saveFile({ x: torch.ones([4]) }, weights);
    const program = `
      const torch = require(${JSON.stringify(dist)});
      const x = torch.zeros([1 << 22]);
      const messages = [
        () => torch.save({ x }, ${JSON.stringify(path)}),
        () => torch.safetensors.saveFile({ x }, ${JSON.stringify(weights)}),
      ].map((save) => { try { save(); return 'saved'; } catch (error) { return error.code + ' ' + error.message; } });
      console.log(JSON.stringify(messages));`;
    // A file may have a million bytes at most.
    const command = 'ulimit -f 2000; exec "$0" -e "$1"';
    const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, program], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const messages = JSON.parse(stdout) as string[];
    expect(messages).toEqual([
      expect.stringMatching(/^BAD_DATA .*checkpoint\.pt: cannot be written: EFBIG/),
      expect.stringMatching(/^BAD_DATA .*weights\.safetensors: cannot be written: EFBIG/),
    ]);
    expect(load(path).get('x')?.toArray()).toEqual([1, 1, 1, 1]);
    expect(torch.safetensors.loadFile(weights).get('x')?.toArray()).toEqual([1, 1, 1, 1]);
    expect(readdirSync(here.path).sort()).toEqual(['checkpoint.pt', 'weights.safetensors']);
  },
);

testWhere(existsSync('/dev/full'), 'there is no full device')('devices are not written to', () => {
  expect(() => torch.save(1, '/dev/full')).toThrow('to be an ordinary file, not a device');
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
});
