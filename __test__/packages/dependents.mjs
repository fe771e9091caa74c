export async function checkDependents() {}
