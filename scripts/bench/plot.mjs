// The ratio to PyTorch's time against the size, as an SVG that needs nothing else: a panel for each form and count of
// threads, a line for each loss, both axes logarithmic.
import { forms, formTitles } from './cases.mjs';

const panel = { width: 380, height: 300, left: 62, top: 40, right: 14, bottom: 50 };
const legendHeight = 78;

/** Colours that colour-blind people can distinguish (Okabe and Ito). */
const palette = ['#0072b2', '#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#000000'];

/** The SVG of the records of the section on speed that have a ratio to PyTorch. */
export function plot(records, title) {
  const points = records.filter(({ toPyTorch }) => toPyTorch.tensors !== undefined);
  if (points.length === 0) throw new RangeError('plot: expected records with a ratio to PyTorch, but received none');
  const threads = [...new Set(points.map((point) => point.threads))];
  const shownForms = forms.filter((form) => points.some((point) => point.form === form));
  const names = [...new Set(points.map(nameOf))];
  const scales = {
    x: logScale(
      points.map(({ elements }) => elements),
      panel.left,
      panel.width - panel.right,
    ),
    // The line of equality is always in sight.
    y: logScale([1, ...points.map(({ toPyTorch }) => toPyTorch.tensors)], panel.height - panel.bottom, panel.top),
  };
  const panels = threads.flatMap((count, row) =>
    shownForms.map((form, column) => {
      const own = points.filter((point) => point.form === form && point.threads === count);
      const heading = `${formTitles[form]}, ${count} ${count === 1 ? 'thread' : 'threads'}`;
      const place = `translate(${column * panel.width},${legendHeight + row * panel.height})`;
      return `<g transform="${place}">${drawPanel(own, names, scales, heading)}</g>`;
    }),
  );
  const [width, height] = [shownForms.length * panel.width, legendHeight + threads.length * panel.height];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(panel.left, 20, title, 'font-weight="bold"'),
    ...drawKeys(names, width),
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

const nameOf = ({ loss, dtype }) => (dtype === 'float32' ? loss : `${loss} ${dtype}`);

/**
 * A logarithmic scale with a little room at both ends. Ticks are powers of ten; small ranges get 2 and 5 of each too.
 */
function logScale(values, from, to) {
  const [low, high] = [Math.log10(Math.min(...values)) - 0.1, Math.log10(Math.max(...values)) + 0.1];
  const steps = high - low <= 3 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const step of steps) {
      const place = power + Math.log10(step);
      if (place >= low && place <= high) ticks.push({ value: step * 10 ** power, power, step });
    }
  }
  return { ticks, at: (value) => round(from + ((Math.log10(value) - low) / (high - low)) * (to - from)) };
}

const round = (value) => Math.round(value * 10) / 10;

function drawPanel(points, names, { x, y }, heading) {
  const [left, right] = [panel.left, panel.width - panel.right];
  const [top, bottom] = [panel.top, panel.height - panel.bottom];
  const grid = [
    ...x.ticks.map(({ value }) => line(x.at(value), top, x.at(value), bottom, '#e5e5e5')),
    ...y.ticks.map(({ value }) => line(left, y.at(value), right, y.at(value), '#e5e5e5')),
  ];
  const labels = [
    ...x.ticks.map((tick) => text(x.at(tick.value), bottom + 16, count(tick), 'text-anchor="middle"')),
    ...y.ticks.map(({ value }) =>
      text(left - 6, y.at(value) + 4, String(Number(value.toPrecision(1))), 'text-anchor="end"'),
    ),
    text((left + right) / 2, bottom + 36, 'elements', 'text-anchor="middle"'),
    text(0, 0, "time / PyTorch's", `text-anchor="middle" transform="translate(16,${(top + bottom) / 2}) rotate(-90)"`),
    text((left + right) / 2, top - 12, heading, 'text-anchor="middle" font-weight="bold"'),
  ];
  const lines = names.map((name, i) =>
    drawLine(
      points.filter((point) => nameOf(point) === name),
      name,
      palette[i],
      { x, y },
    ),
  );
  return [...grid, line(left, y.at(1), right, y.at(1), '#444', 'stroke-dasharray="5 3"'), ...labels, ...lines].join(
    '\n',
  );
}

/** One loss: a line from size to size, and a point at each that tells its figures when it is pointed at. */
function drawLine(points, name, colour, { x, y }) {
  const ordered = [...points].sort((a, b) => a.elements - b.elements);
  const places = ordered.map(({ elements, toPyTorch }) => `${x.at(elements)},${y.at(toPyTorch.tensors)}`);
  const dots = ordered.map(({ elements, size, toPyTorch }) => {
    const tip = `${name} ${size}: ${toPyTorch.tensors.toFixed(2)}`;
    return `<circle cx="${x.at(elements)}" cy="${y.at(toPyTorch.tensors)}" r="3" fill="${colour}"><title>${escapeText(tip)}</title></circle>`;
  });
  const path = `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  return [`<g data-loss="${escapeText(name)}">`, path, ...dots, '</g>'].join('\n');
}

/** The names with their colours, as many on a line as fit. */
function drawKeys(names, width) {
  const column = 50 + 7.5 * Math.max(...names.map((name) => name.length));
  const beside = Math.max(1, Math.floor((width - panel.left) / column));
  return names.map((name, i) => {
    const [x, y] = [panel.left + (i % beside) * column, 40 + 18 * Math.floor(i / beside)];
    return [line(x, y, x + 20, y, palette[i], 'stroke-width="3"'), text(x + 26, y + 4, name)].join('\n');
  });
}

/** A power of ten as people write it: 100, 10k, 1M. */
function count({ step, power }) {
  const [unit, base] = power >= 9 ? ['G', 9] : power >= 6 ? ['M', 6] : power >= 3 ? ['k', 3] : ['', 0];
  return `${step * 10 ** (power - base)}${unit}`;
}

function line(x1, y1, x2, y2, stroke, extra = '') {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" ${extra}/>`;
}

function text(x, y, content, extra = '') {
  return `<text x="${round(x)}" y="${round(y)}" ${extra}>${escapeText(content)}</text>`;
}

function escapeText(content) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return content.replace(/[&<>"']/g, (character) => entities[character]);
}
