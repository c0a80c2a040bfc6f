/** The face of CUDA, on an addon that has two devices and on one that has none. */
import { loadedLibtorch, native, whyCannotOpen } from '../../../lib/binding/load';
import * as cuda from '../../../lib/torch/cuda';
import { refusal } from './support';

jest.mock('../../../lib/binding/load');

const fake = {
  cudaDeviceCount: jest.fn(() => 2),
  currentDevice: jest.fn(() => 1),
  setDevice: jest.fn(),
  synchronize: jest.fn(),
  seedDevice: jest.fn(),
  memoryStats: jest.fn(() => ({ numOoms: 0 })),
  memoryInfo: jest.fn(() => [1, 2]),
  resetPeakMemoryStats: jest.fn(),
  emptyDeviceCache: jest.fn(),
  newStream: jest.fn((device: string) => ({ device, id: 7 })),
  currentStream: jest.fn((device: string) => ({ device, id: 0 })),
  defaultStream: jest.fn((device: string) => ({ device, id: 0 })),
  streamDevice: jest.fn(({ device }: { device: string }) => device),
  streamId: jest.fn(({ id }: { id: number }) => id),
  synchronizeStream: jest.fn(),
  queryStream: jest.fn(() => true),
  waitStream: jest.fn(),
  withStream: jest.fn((_stream: unknown, fn: () => unknown) => fn()),
};

function loading(state: { hasCuda: boolean; cudaFailure?: string }): void {
  jest.mocked(loadedLibtorch).mockReturnValue({ located: { lib: '/lib' }, version: '2.13.0', ...state } as never);
}

beforeEach(() => {
  jest.clearAllMocks();
  fake.cudaDeviceCount.mockReturnValue(2);
  jest.mocked(native).mockReturnValue(fake as never);
  loading({ hasCuda: false });
});

/** Functions of a device, and what they call. */
const ofDevice: [string, (device?: number | string) => unknown, jest.Mock][] = [
  ['synchronize', cuda.synchronize, fake.synchronize],
  ['memoryStats', cuda.memoryStats, fake.memoryStats],
  ['memGetInfo', cuda.memGetInfo, fake.memoryInfo],
  ['resetPeakMemoryStats', cuda.resetPeakMemoryStats, fake.resetPeakMemoryStats],
  ['currentStream', cuda.currentStream, fake.currentStream],
  ['defaultStream', cuda.defaultStream, fake.defaultStream],
  ['Stream', (device) => new cuda.Stream(device), fake.newStream],
];

describe.each(ofDevice)('%s', (name, call, entry) => {
  test.each([
    [undefined, 'cuda'],
    [1, 'cuda:1'],
    ['cuda:0', 'cuda:0'],
    ['cuda', 'cuda'],
  ])('of %p means %s', (device, named) => {
    call(device);
    expect(entry).toHaveBeenCalledWith(named);
  });

  test.each([[2], [-1], [0.5], ['cuda:2'], ['cuda:x'], [null], [{}]])('refuses %p', (device) => {
    const error = refusal(() => call(device as never));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: `cuda.${name}`, argument: 'device' });
    expect(entry).not.toHaveBeenCalled();
  });

  test('says why there is no CUDA', () => {
    fake.cudaDeviceCount.mockReturnValue(0);
    expect(refusal(() => call()).message).toBe(
      `cuda.${name}: expected CUDA to be available, but received none (libtorch 2.13.0 in /lib is a build without CUDA; ` +
        'npx libtorch-losses install --cuda cu130 brings a CUDA build)',
    );
  });
});

describe('why there is no CUDA', () => {
  const why = (): string | undefined => {
    fake.cudaDeviceCount.mockReturnValue(0);
    return cuda.whyUnavailable();
  };

  test('nothing is said where there is', () => {
    expect([cuda.whyUnavailable(), cuda.isAvailable()]).toEqual([undefined, true]);
  });

  test('a build without it', () => {
    expect(why()).toContain('is a build without CUDA');
  });

  test('libraries that cannot be opened', () => {
    loading({ hasCuda: false, cudaFailure: 'libnowhere.so: cannot open shared object file' });
    expect(why()).toContain('CUDA libraries cannot be opened: libnowhere.so');
  });

  test('no driver', () => {
    loading({ hasCuda: true });
    jest.mocked(whyCannotOpen).mockReturnValueOnce('libcuda.so.1: cannot open');
    expect(why()).toBe('there is no NVIDIA driver: libcuda.so.1: cannot open');
  });

  test('a driver that is too old, or shows no device', () => {
    loading({ hasCuda: true });
    expect(why()).toMatch(/too old for this libtorch, or shows no device$/);
  });
});

test('free and total memory have names', () => {
  expect(cuda.memGetInfo()).toEqual({ free: 1, total: 2 });
});

test('the current device is read and set', () => {
  expect(cuda.currentDevice()).toBe(1);
  cuda.setDevice(1);
  expect(fake.setDevice).toHaveBeenCalledWith('cuda:1');
});

test('a device is seeded as PyTorch counts seeds', () => {
  cuda.manualSeed(-1, 1);
  expect(fake.seedDevice).toHaveBeenCalledWith('cuda:1', 2n ** 64n - 1n);
  expect(refusal(() => cuda.manualSeed(0.5)).argument).toBe('seed');
});

test('streams wait for each other, and are current while a function runs', () => {
  const [one, other] = [new cuda.Stream(0), cuda.currentStream()];
  expect([one.device, one.query(), one.equals(other), one.equals(new cuda.Stream())]).toEqual([
    'cuda:0',
    true,
    false,
    true,
  ]);
  one.waitStream(other);
  one.synchronize();
  expect(fake.waitStream).toHaveBeenCalledWith({ device: 'cuda:0', id: 7 }, { device: 'cuda', id: 0 });
  expect(cuda.stream(one, () => 5)).toBe(5);
  expect(refusal(() => cuda.stream(one, async () => 5)).message).toContain("expected 'fn' to be synchronous");
  expect(refusal(() => cuda.stream({} as never, () => 5)).argument).toBe('stream');
  expect(refusal(() => one.waitStream(5 as never)).argument).toBe('other');
});
