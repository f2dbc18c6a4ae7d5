// node typst.mjs COMPILER.node FILE.typ: exits 1 with typst's own messages where the file doesn't compile.
import { readFileSync } from 'fs';
import { createRequire } from 'module';

const [, , compiler, file] = process.argv;
const { NodeCompiler } = createRequire(import.meta.url)(compiler);
const typst = NodeCompiler.create({ workspace: '.' });
const result = typst.compile({ mainFileContent: readFileSync(file, 'utf8') });
if (result.hasError()) {
  console.log(JSON.stringify(typst.fetchDiagnostics(result.takeDiagnostics()), null, 1));
  process.exit(1);
}
const pdf = typst.pdf({ mainFileContent: readFileSync(file, 'utf8') });
if (!pdf || pdf.length < 1000) {
  console.log('an empty document');
  process.exit(1);
}
