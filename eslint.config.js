// The rules of the project's scripts.

import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import globals from "globals";

export default defineConfig([
  globalIgnores([".venv/", "var/", "static/"]),
  js.configs.recommended,
  {
    files: ["**/*.{js,mjs}"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["clients/javascript/**", "tests/browser/**", "voipbin_ws/static/**"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["examples/**", "tests/clients/**", "tests/conformance/**", "tests/faults/**", "tests/voipbin_ws/**"],
    languageOptions: { globals: globals.node },
  },
]);
