const { TestEnvironment } = require('jest-environment-jsdom');

// What every browser has and jsdom has not is taken from Node.
const NAMES = [
  'AbortController',
  'AbortSignal',
  'Headers',
  'ReadableStream',
  'Request',
  'Response',
  'TextDecoder',
  'TextDecoderStream',
  'TextEncoder',
  'TransformStream',
  'fetch',
  'structuredClone'
];

module.exports = class Browser extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of NAMES) {
      this.global[name] = globalThis[name];
    }
  }
};
