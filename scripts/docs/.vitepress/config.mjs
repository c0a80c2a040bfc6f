// The site: the pages that ../site.mjs writes, and beside them the API reference of typedoc.
import { addressOf, folders, menu, titleOf } from '../site.mjs';

const link = (page) =>
  `/${addressOf(page)
    .replace(/(^|\/)index\.md$/, '$1')
    .replace(/\.md$/, '')}`;

export default {
  title: 'libtorch-losses',
  description: "PyTorch's own loss functions for Node.js, and what trains with them.",
  srcDir: folders.pages,
  outDir: folders.site,
  cacheDir: folders.cache,
  // The reference is written by another program.
  ignoreDeadLinks: [/^\/api\//],
  // Pages are Markdown, and what looks like a tag in them is text.
  markdown: { html: false },
  // The theme follows what the reader's system asks for.
  appearance: true,
  transformHead: ({ siteData: { base } }) => [['link', { rel: 'icon', href: `${base}favicon.svg` }]],
  themeConfig: {
    search: { provider: 'local' },
    nav: [{ text: 'API', link: '/api/index.html', target: '_self' }],
    sidebar: menu.map(({ text, items }) => ({
      text,
      items: items.map((page) => ({ text: page === 'README.md' ? 'First steps' : titleOf(page), link: link(page) })),
    })),
    outline: [2, 3],
  },
};
