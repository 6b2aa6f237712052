/** The names of roles. Sans-I/O. */

import { gettext } from "./gettext.js";

const ROLES = new Map(Object.entries({ agent: gettext("agent"), manager: gettext("manager"), admin: gettext("admin"), staff: gettext("staff") }));

/** Return the name of a role; an unknown one as it is. @param {string} role */
export const roleName = (role) => ROLES.get(role) ?? role;
