/** The reference shares no code with what it is compared with: outside its folder it imports types and errors only. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../../lib/reference');

test.each(readdirSync(folder))('%s imports its own folder, types and errors only', (file) => {
  const source = readFileSync(join(folder, file), 'utf8');
  const imported = [...source.matchAll(/(?: from |import |import\(|require\()'([^']+)'/g)].map(
    ([, path]) => path as string,
  );
  expect(imported).not.toHaveLength(0);
  expect(imported.filter((path) => !/^(?:\.\/[\w-]+|\.\.\/types|\.\.\/errors)$/.test(path))).toEqual([]);
});
