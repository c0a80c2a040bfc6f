// The pages of the site: README and docs as they are, with every file that they link to as a page of its own, so that
// nothing leads out of the site. VitePress builds it with a search; a link that leads nowhere ends that.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where everything is written; `pages` is what VitePress reads, `site` what it writes. */
const out = process.env.SITE_FOLDER ?? join(root, 'build', 'docs');
export const folders = { pages: join(out, 'pages'), cache: join(out, 'cache'), site: join(out, 'site') };

/** The pages in the order of the menu. */
export const menu = [
  {
    text: 'Start',
    items: [
      'README.md',
      'docs/tutorial.md',
      'docs/cookbook.md',
      'docs/install.md',
      'docs/migration.md',
      'docs/faq.md',
      'docs/troubleshooting.md',
    ],
  },
  { text: 'Losses', items: ['docs/losses.md', 'docs/your-own-losses.md', 'docs/async.md', 'docs/parity.md'] },
  {
    text: 'Training',
    items: ['docs/modules.md', 'docs/training.md', 'docs/distributed.md', 'docs/files.md', 'docs/testing.md'],
  },
  { text: 'Evaluation', items: ['docs/evaluate.md', 'docs/shards.md'] },
  { text: 'Machines', items: ['docs/devices.md', 'docs/memory.md'] },
  { text: 'Proof', items: ['docs/numerics.md', 'docs/reliability.md', 'docs/performance.md'] },
  { text: 'News', items: ['CHANGELOG.md'] },
];

/** Where a page lies on the site. */
export function addressOf(page) {
  return page === 'README.md' ? 'index.md' : page.replace(/^docs\//, '').toLowerCase();
}

/** The first heading of a page. */
export function titleOf(page) {
  return /^# (.+)$/m.exec(readFileSync(join(root, page), 'utf8'))[1].replaceAll('`', '');
}

/** Writes all pages. */
export function writePages() {
  rmSync(folders.pages, { recursive: true, force: true });
  // Pages become modules, which look for Vue from where they lie.
  const packages = join(out, 'node_modules');
  if (!existsSync(packages)) {
    mkdirSync(out, { recursive: true });
    symlinkSync(fileURLToPath(new URL('node_modules', import.meta.url)), packages, 'junction');
  }
  const listed = menu.flatMap(({ items }) => items);
  const missing = documents().filter((page) => !listed.includes(page));
  if (missing.length > 0) throw new Error(`the menu of scripts/docs/site.mjs lacks ${missing.join(', ')}`);
  const sources = new Set();
  for (const page of listed) write(addressOf(page), linked(page, sources));
  for (const source of sources) write(`${sourceAddress(source)}.md`, sourcePage(source, sources));
  cpSync(fileURLToPath(new URL('favicon.svg', import.meta.url)), join(folders.pages, 'public', 'favicon.svg'));
  for (const picture of readdirSync(join(root, 'docs')).filter((file) => /\.(svg|png)$/.test(file))) {
    cpSync(join(root, 'docs', picture), join(folders.pages, picture));
  }
}

function documents() {
  const inFolder = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'));
  return ['README.md', 'CHANGELOG.md', ...inFolder.map((file) => `docs/${file}`)];
}

/** The text of a page, with its links as they are on the site. */
function linked(page, sources) {
  const text = readFileSync(join(root, page), 'utf8');
  return text.replace(/<!--.*?-->\n*/gs, '').replace(/\]\(([^)\s#]*)(#[^)\s]*)?\)/g, (whole, link, anchor = '') => {
    if (link === '' || link.includes('://')) return whole;
    const target = posix.normalize(posix.join(posix.dirname(page), link)).replace(/\/$/, '');
    return `](${relativeLink(addressOf(page), addressOnSite(target, page, sources))}${anchor})`;
  });
}

function addressOnSite(target, page, sources) {
  if (/\.(svg|png)$/.test(target)) return target.replace(/^docs\//, '');
  if (documents().includes(target)) return addressOf(target);
  if (!existsSync(join(root, target))) throw new Error(`${page}: the link to ${target} leads nowhere`);
  sources.add(target);
  return `${sourceAddress(target)}.md`;
}

function relativeLink(from, to) {
  const path = relative(dirname(from), to).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

const sourceAddress = (source) => `source/${source.replaceAll('.', '-')}`;

/** A file with its text, or a folder with links to what is in it. */
function sourcePage(source, sources) {
  if (!statSync(join(root, source)).isDirectory()) {
    const text = readFileSync(join(root, source), 'utf8');
    const language = { '.mjs': 'js', '.py': 'python' }[extname(source)] ?? extname(source).slice(1);
    return `# ${posix.basename(source)}\n\n\`${source}\`\n\n\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`;
  }
  const files = readdirSync(join(root, source), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|py)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !file.includes('node_modules'))
    .sort();
  for (const file of files) sources.add(file);
  const here = `${sourceAddress(source)}.md`;
  const links = files.map((file) => `- [${file}](${relativeLink(here, `${sourceAddress(file)}.md`)})`);
  return `# ${source}\n\n${links.join('\n')}\n`;
}

function write(address, text) {
  const path = join(folders.pages, address);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
