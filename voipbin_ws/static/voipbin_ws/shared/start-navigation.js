/** The menu and the palette on pages without a script of their own that enables them. */

import { enableNavigation } from "./navigation.js";

enableNavigation();
