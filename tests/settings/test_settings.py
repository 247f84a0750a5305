"""Settings: three places, each checked, and mistakes told with their place and the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.errors import FairleadError
from fairlead.settings import Settings, load_settings, names
from tests.support.settings_reference import PAGE, reference


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "fairlead.toml"
    file.write_text(text)
    return file


def mistake(
    config: Path | None = None, environment: dict[str, str] | None = None, **overrides: object
) -> FairleadError:
    with pytest.raises(FairleadError) as caught:
        load_settings(config, environment=environment or {}, overrides=overrides)
    assert caught.value.code == "settings-invalid"
    return caught.value


def test_without_any_file_or_variable_the_server_listens_on_loopback_with_sqlite(tmp_path: Path) -> None:
    settings = load_settings(environment={"XDG_CONFIG_HOME": str(tmp_path)}, overrides={"data": tmp_path})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 9890)
    assert settings.store_url == f"sqlite:///{tmp_path}/fairlead.db"
    assert settings.execution_url == f"sqlite:///{tmp_path}/execution.db"
    assert settings.master_key_file == tmp_path / "master.key"


def test_the_command_line_is_stronger_than_the_environment_and_that_than_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[server]\nhost = "file"\nport = 1\npage_size = 7\n[log]\nlevel = "debug"\n')
    variables = {"FAIRLEAD_SERVER_HOST": "variable", "FAIRLEAD_SERVER_PORT": "2"}
    settings = load_settings(file, environment=variables, overrides={"server.port": "3"})
    server = settings.server
    assert (server.host, server.port, server.page_size, settings.log.level) == ("variable", 3, 7, "debug")


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, 'data = "~/here"\n')
    assert load_settings(environment={"FAIRLEAD_CONFIG": str(file)}).data == Path.home() / "here"


def test_variables_are_read_as_what_they_are_to_be() -> None:
    variables = {
        "FAIRLEAD_DATA": "/srv/fairlead",
        "FAIRLEAD_OPERATIONS_DELETE_LEFTOVERS": "false",
        "FAIRLEAD_VIMS_POLL_LONGEST": "3",
        "FAIRLEAD_SECRETS_MASTER_KEY_FILE": "/run/key",
        "FAIRLEAD_SERVER_HOST": "",
    }
    settings = load_settings(environment=variables)
    assert settings.data == Path("/srv/fairlead")
    assert settings.operations.delete_leftovers is False
    assert settings.vims.poll_longest == 3.0
    assert settings.master_key_file == Path("/run/key")
    assert settings.server.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[server]\nprot = 1", "server.port"),
        ("[sever]\nport = 1", "server.port"),
        ("port = 1", "server.port"),
        ('dta = "x"', "data"),
        ("[vims]\ntakeover_settling = 1", "operations.takeover_settling"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_right_one(tmp_path: Path, text: str, nearest: str) -> None:
    error = mistake(written(tmp_path, text))
    assert f"'{nearest}'" in str(error.remedy)
    assert "fairlead.toml" in str(error.place)


def test_an_unknown_variable_of_a_group_is_told_and_others_are_not_ours() -> None:
    error = mistake(environment={"FAIRLEAD_SERVER_PROT": "1"})
    assert "FAIRLEAD_SERVER_PORT" in str(error.remedy)
    load_settings(environment={"FAIRLEAD_TOKEN": "x", "FAIRLEAD_URL": "x", "FAIRLEAD_TEST_POSTGRESQL": "x"})


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nport = 70000",
        '[server]\nport = "9890"',
        "[vims]\ncalls_at_once = 0",
        "[vims]\npoll_shortest = 5",
        '[log]\nlevel = "loud"',
        '[store]\nurl = "mysql://here"',
        "server = 1",
        "data = 1",
        "not toml",
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    error = mistake(written(tmp_path, text))
    assert error.place
    assert error.remedy


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert "cannot be read" in mistake(tmp_path / "nowhere.toml").detail


def test_an_unknown_override_is_a_mistake_too() -> None:
    assert mistake(None, None, **{"server.prot": 1}).remedy == "Did you mean 'server.port'?"


@pytest.mark.parametrize("url", ["postgres://u:pw@h/d", "postgresql://u:pw@h/d", "postgresql+psycopg://u:pw@h/d"])
def test_on_postgresql_the_execution_engine_uses_the_same_database(url: str) -> None:
    settings = load_settings(environment={"FAIRLEAD_STORE_URL": url})
    assert settings.execution_url == "postgresql://u:pw@h/d"


def test_settings_show_no_secret() -> None:
    settings = load_settings(
        environment={"FAIRLEAD_STORE_URL": "postgresql://u:hidden@h/d", "FAIRLEAD_SECRETS_MASTER_KEYS": "hidden"}
    )
    assert "hidden" not in repr(settings)


def test_the_reference_page_lists_every_setting_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m tests.support.settings_reference"
    assert all(f"`{name}`" in reference() for name in names())


def test_defaults_need_no_environment() -> None:
    assert Settings().server.port == 9890


def test_keystones_tokens_are_not_taken_without_a_keystone_and_somebody_who_may_ask_it(tmp_path: Path) -> None:
    group = '[identity]\nauth = "keystone"\n[keystone]\n'
    place = 'auth_url = "https://cloud.example:5000"\n'
    for text, wrong in (
        (group, "keystone.auth_url"),
        (group + place, "keystone.username"),
        (group + place + 'username = "fairlead"\n', "keystone.username"),
        (group + place + 'application_credential_id = "a"\n', "keystone.username"),
    ):
        assert mistake(written(tmp_path, text)).place == wrong
    for user in (
        'username = "fairlead"\npassword = "p"\n',
        "application_credential_id = 'a'\napplication_credential_secret = 's'",
    ):
        settings = load_settings(written(tmp_path, group + place + user), environment={})
        assert settings.identity.auth == "keystone"
        assert "'p'" not in repr(settings)
        assert "'s'" not in repr(settings)
