// JupyterLab's packages are published as ES modules, and some import styles and icons: both go through transforms.
const swc = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', tsx: true },
      target: 'es2022',
      transform: { react: { runtime: 'classic' } }
    },
    module: { type: 'commonjs' }
  }
];

// Times of day in tests are those of everybody.
process.env.TZ = 'UTC';

module.exports = {
  testEnvironment: '<rootDir>/jest/environment.cjs',
  roots: ['<rootDir>/src'],
  testRegex: '/__tests__/.*\\.spec\\.tsx?$',
  setupFilesAfterEnv: ['<rootDir>/jest/setup.cjs'],
  transform: { '\\.[jt]sx?$': swc, '\\.mjs$': swc, '\\.svg$': '<rootDir>/jest/svg.cjs' },
  transformIgnorePatterns: ['/node_modules/(typescript|jsdom|parse5|@swc|react-dom|react)/'],
  moduleNameMapper: { '\\.css$': '<rootDir>/jest/style.cjs' }
};
