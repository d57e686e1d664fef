import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { type Plugin, defineConfig } from "vite";

const LICENSES = "third-party-licenses.md";
const SYSTEMJS = dirname(createRequire(import.meta.url).resolve("systemjs/package.json"));
const MODULE = /<script type="module"[^>]*? src="([^"]+)"><\/script>/;

/**
 * The page as classic scripts, which SystemJS loads. Browsers load neither modules nor data from
 * file://, and so one build serves a server and a folder alike.
 */
function classicScripts(): Plugin {
  let loader = "";
  return {
    name: "classic-scripts",
    apply: "build",
    buildStart() {
      // Its comment would have browsers ask for a source map that is not there.
      const source = readFileSync(`${SYSTEMJS}/dist/s.min.js`, "utf8").replace(
        /\/\/# sourceMappingURL=.*\s*$/,
        "",
      );
      loader = this.emitFile({ type: "asset", name: "loader.js", source });
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const [page, licenses] = [bundle["index.html"], bundle[LICENSES]];
        if (page?.type !== "asset" || licenses?.type !== "asset") {
          this.error("the page or the list of licences is missing");
        }
        page.source = String(page.source)
          .replace(
            MODULE,
            `<script defer src="./${this.getFileName(loader)}"></script>\n` +
              `    <script type="systemjs-module" src="$1"></script>`,
          )
          .replaceAll(" crossorigin", "");
        const licence = readFileSync(`${SYSTEMJS}/LICENSE`, "utf8");
        licenses.source = `${String(licenses.source)}\n## systemjs (MIT)\n\n${licence}`;
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [classicScripts()],
  build: {
    outDir: "../src/clio/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    license: { fileName: LICENSES },
    rollupOptions: { output: { format: "system" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8765" } },
});
