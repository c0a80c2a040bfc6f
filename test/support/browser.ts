/** A browser that is installed on this machine. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where it is: `CHROME`, else the first on the PATH; or why there is none. An error if `CHROME` names no file. */
export function installedBrowser(env: NodeJS.ProcessEnv = process.env): { path: string } | { unavailable: string } {
  const { CHROME: chosen, PATH = '' } = env;
  if (chosen !== undefined && chosen !== '') {
    if (!existsSync(chosen)) throw new Error(`CHROME is ${chosen}, where no file is`);
    return { path: chosen };
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const path = names
    .flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)))
    .find((candidate) => isExecutable(candidate));
  return path === undefined ? { unavailable: `no ${names.join(', ')} on the PATH, and CHROME is not set` } : { path };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
