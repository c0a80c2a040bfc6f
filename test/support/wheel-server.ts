/** A wheel index on this machine, with the faults that a network can have. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wheel, wheelName } from './wheels';

/** A running index. */
export interface WheelServer {
  /** The address that `LIBTORCH_LOSSES_WHEEL_INDEX` takes. */
  address: string;
  /** What was asked for: `GET /cpu/torch/`, `GET /files/torch-….whl bytes=100-`. */
  requests: string[];
  close(): Promise<void>;
}

/** How the index differs from one that works. */
export interface ServerChanges {
  /** The wheels by file name; by default the one of 2.13.0+cpu for this machine. */
  wheels?: Readonly<Record<string, Buffer>>;
  /** Sends the index page. */
  page?(response: ServerResponse): void;
  /** What follows `#` in the links; by default the right SHA-256. */
  fragment?(content: Buffer): string;
  /** Handles the download of a wheel; true if it answered. `count` is the number of the request, from 1. */
  serve?(content: Buffer, request: IncomingMessage, response: ServerResponse, count: number): boolean;
}

/** Starts an index. Links are relative and percent-encoded, as PyTorch's are. */
export async function startWheelServer(changes: ServerChanges = {}): Promise<WheelServer> {
  const wheels = changes.wheels ?? { [wheelName()]: wheel() };
  const requests: string[] = [];
  let downloads = 0;
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    const url = request.url ?? '';
    if (url === '/cpu/torch/') {
      if (changes.page !== undefined) return changes.page(response);
      response.setHeader('content-type', 'text/html').end(page(wheels, changes.fragment ?? sha256Fragment));
      return;
    }
    const content = wheels[decodeURIComponent(url.replace('/files/', ''))];
    if (content === undefined) response.writeHead(404).end();
    else if (!changes.serve?.(content, request, response, ++downloads)) sendRange(content, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, requests, close: () => closed(server) };
}

/** `sha256=…` of the content, as the index writes it behind a link. */
export function sha256Fragment(content: Buffer): string {
  return `sha256=${createHash('sha256').update(content).digest('hex')}`;
}

function page(wheels: Readonly<Record<string, Buffer>>, fragment: (content: Buffer) => string): string {
  const links = Object.entries(wheels).map(([name, content]) => {
    const hash = fragment(content);
    const href = `/files/${encodeURIComponent(name)}${hash === '' ? '' : `#${hash}`}`;
    return `    <a href="${href}" data-dist-info-metadata="true">${name}</a><br/>`;
  });
  return ['<!DOCTYPE html>', '<html><body><h1>Links for torch</h1>', ...links, '</body></html>', ''].join('\n');
}

/** Sends the whole file, or what a `Range` header asks for. */
export function sendRange(content: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start === 0) {
    response.writeHead(200, { 'content-length': content.length }).end(content);
  } else if (start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  } else {
    const range = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { 'content-length': content.length - start, 'content-range': range });
    response.end(content.subarray(start));
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
