import { bytes, modelSize, rate, seconds, shortened } from '../format';
import { statusText } from '../status';
import { engine, pulse, sample } from './things';

describe('format', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_600, '1.00 MB'],
    [1.53e9, '1.53 GB'],
    [64e9, '64.0 GB'],
    [5e15, '5000 TB']
  ])('%d bytes are %s', (count, text) => expect(bytes(count)).toBe(text));

  it.each([
    [-3600, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [4 * 86_400, '4 d']
  ])('%d seconds are %s', (count, text) => expect(seconds(count)).toBe(text));

  it('tells rates with a digit while they are small', () => {
    expect([rate(8.44), rate(13.4)]).toEqual(['8.4', '13']);
  });

  it('shortens between characters', () => {
    expect(shortened('a\n  b', 10)).toBe('a b');
    expect(shortened('😀😀😀', 2)).toBe('😀😀…');
    expect(shortened('x'.repeat(1_000_000), 5)).toBe('xxxxx…');
  });

  it.each([
    ['qwen2.5-coder-1.5b', '1.5B'],
    ['qwen2.5-coder-0.5b', '0.5B'],
    ['/models/mine.gguf', '/models/mine.gguf']
  ])('the size of %s is %s', (name, size) => expect(modelSize(name)).toBe(size));
});

describe('statusText', () => {
  const state = { connection: 'live' as const, message: '', samples: [], offset: 0 };

  it('says how model and queue stand', () => {
    const writing = sample({
      engine: {
        model: '',
        tokens_per_second: 13.4,
        prompt_tokens_per_second: 0,
        slots: 4,
        busy: 2,
        waiting: 0,
        cache_tokens: null,
        cache_limit: null,
        memory_bytes: null
      }
    });
    expect(
      statusText({ ...state, pulse: pulse({ engine: engine(), running: 2, sample: writing }) })
    ).toBe('LLM OS: 1.5B ready · 2 running · 13 tok/s');
  });

  it('says that nothing runs, or is loaded', () => {
    expect(statusText({ ...state, connection: 'absent', pulse: null })).toBe('LLM OS: not running');
    expect(statusText({ ...state, pulse: pulse() })).toBe('LLM OS: no model loaded');
  });
});
