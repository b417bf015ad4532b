// The theme puts a wide table into a box that scrolls; a keyboard must reach it, too
// (WCAG 2.1.1).
const reachable = () => {
    for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
        box.tabIndex = 0;
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", "Table");
    }
};

new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });
reachable();
