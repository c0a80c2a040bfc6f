const { mkdtempSync, rmSync } = require('node:fs');
const { dirname, join, resolve } = require('node:path');

/**
 * Makes a new folder beside a file the current one, until the process ends: `aten::from_file` is given hostile names,
 * too, and makes files of such names where it is called.
 */
exports.workBeside = (file) => {
  const before = process.cwd();
  const folder = mkdtempSync(join(dirname(resolve(file)), 'files-'));
  process.chdir(folder);
  process.on('exit', () => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
};
