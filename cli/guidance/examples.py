"""Examples of verbs that have none in their own words, shown below their help; a test parses all."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "up": ("./dev up", "./dev up -s azureml --yes", "./dev up --plan plan.json --yes --no-progress"),
    "preview": (
        "./dev preview -c dataVersion=2013-02",
        "./dev preview --save-plan plan.json --markdown plan.md --detailed-exitcode",
    ),
    "refresh": ("./dev refresh -s azureml",),
    "destroy": ("./dev destroy --yes",),
    "output": ("./dev output", "./dev output endpointUrl -s azureml"),
    "approve": ("./dev approve", "./dev approve 60f0 --dry-run"),
    "pin": ("./dev pin", "./dev pin 60f0 -s azureml --yes"),
    "unpin": ("./dev unpin",),
    "cancel": ("./dev cancel", "./dev cancel --jobs"),
    "watch": ("./dev watch --once --dry-run", "./dev watch -s azureml", "./dev watch --pause 2h"),
    "verify-azure": ("./dev verify-azure -s azureml",),
    "adopt": ("./dev adopt", "./dev adopt --predictive prices --data-version 2013-01"),
    "pulumi": ("./dev pulumi stack ls",),
    "test": ("./dev test", "./dev test tests/unit -k gate"),
    "lint": ("./dev lint",),
    "docs": ("./dev docs", "./dev docs schemas"),
    "bench": ("./dev bench rrs",),
    "chaos": ("./dev chaos -n 300 --seed 7",),
    "fuzz": ("./dev fuzz -n 10000 --seed 7",),
    "help": ("./dev help up", "./dev help runs show"),
    "completion": ("./dev completion bash",),
    "stack": ("./dev stack ls",),
    "stack init": ("./dev stack init spring",),
    "stack export": ("./dev stack export --file state.json",),
    "stack import": ("./dev stack import --file state.json",),
    "stack ls": ("./dev stack ls --json",),
    "stack rm": ("./dev stack rm -s spring --yes",),
    "definition": ("./dev definition export prices",),
    "definition export": ("./dev definition export prices",),
    "definition import": ("./dev definition import prices.json",),
    "experiment": ("./dev experiment check flights",),
    "data": ("./dev data ls 'flights/{version}.csv'",),
    "fleet": ("./dev fleet status -s fleet",),
    "fleet status": ("./dev fleet status -s fleet",),
    "fleet explain": ("./dev fleet explain ATL -s fleet",),
    "fleet retry": ("./dev fleet retry ATL -s fleet",),
    "runs": ("./dev runs", "./dev runs --forecasts"),
    "runs show": ("./dev runs show 60f0729",),
    "runs prune": ("./dev runs prune --keep 10 --older-than 30 --dry-run",),
    "config": ("./dev config get", "./dev config set dataVersion 2013-02"),
    "config get": ("./dev config get", "./dev config get dataVersion -s azureml"),
    "config set": (
        "./dev config set dataVersion 2013-02",
        """./dev config set gateRules '["auc >= 0.65", "auc >= champion"]'""",
        "./dev config set azure-native:clientSecret VALUE --secret",
    ),
    "config unset": ("./dev config unset approve",),
    "cloud": ("./dev cloud status",),
    "cloud start": ("./dev cloud start", "./dev cloud start --allow-faults"),
    "cloud stop": ("./dev cloud stop",),
    "cloud status": ("./dev cloud status --json",),
    "cloud page": ("./dev cloud page",),
    "cloud logs": ("./dev cloud logs studio",),
    "cloud reset": ("./dev cloud reset --yes",),
}


def epilog(verb: str) -> str | None:
    """What stands below a verb's help: its examples, a line each."""
    lines = [f"Example: {line}" for line in EXAMPLES.get(verb, ())]
    return "\n\n".join(line.replace("[", r"\[") for line in lines) or None
