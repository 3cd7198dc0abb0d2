import { modelSize } from '../format';
import { statusText } from '../status';
import { engine, pulse, sample } from './things';

describe('format', () => {
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
      statusText({ ...state, pulse: pulse({ engines: [engine()], running: 2, sample: writing }) })
    ).toBe('LLM OS: 1.5B ready · 2 running · 13 tok/s');
  });

  it('says that nothing runs, or is loaded', () => {
    expect(statusText({ ...state, connection: 'absent', pulse: null })).toBe('LLM OS: not running');
    expect(statusText({ ...state, pulse: pulse() })).toBe('LLM OS: no model loaded');
  });
});
