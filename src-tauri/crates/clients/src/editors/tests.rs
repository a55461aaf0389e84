use super::{Cline, Cursor, RooCode};
use crate::client::{Client, Documents, MadeUpFiles, Os, State, View, Weight, World};
use crate::intent::{Intent, Model, Token};

fn intent() -> Intent {
    let model = Model { slug: "gpt-6-sol".to_owned(), name: "GPT-6-Sol".to_owned(), ..Model::default() };
    let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"));
    Intent { models: vec![model], ..intent }
}

fn world(files: &[(&str, &str)]) -> World {
    let made =
        files.iter().fold(MadeUpFiles::new(), |made, (name, text)| made.with(&format!("/home/ada/{name}"), text));
    World::made_up(Os::Linux, "/home/ada", made)
}

fn state(client: &dyn Client, world: &World) -> State {
    let target = client.detect(world).targets.remove(0);
    let (documents, intent) = (Documents::of(client, world, &target), intent());
    let view = View { documents: &documents, owned: &[], intent: &intent, opens: &|key| key == "cf_key" };
    client.state(world, &target, &view)
}

#[test]
fn nothing_of_theirs_is_ever_written() {
    let world = world(&[(".cursor/x", ""), (".cline/x", ""), (".roo/x", "")]);
    for client in [&Cline as &dyn Client, &RooCode, &Cursor] {
        let target = client.detect(&world).targets.remove(0);
        assert!(target.obstacle.is_some(), "{}", client.kind());
        let documents = Documents::of(client, &world, &target);
        assert_eq!(client.plan(&world, &target, &documents, &intent()), [], "{}", client.kind());
        assert_eq!(state(client, &world), State::Clean, "{}", client.kind());
    }
}

#[test]
fn cline_tells_where_it_goes() {
    let file = ".cline/data/settings/providers.json";
    let going = |url: &str| {
        let settings = format!(
            r#"{{"version": 1, "lastUsedProvider": "openai-compatible", "providers": {{"openai-compatible": {{"settings":
               {{"provider": "openai-compatible", "apiKey": "cf_key", "baseUrl": "{url}"}}}}}}}}"#
        );
        state(&Cline, &world(&[(file, &settings)]))
    };
    assert_eq!(going("http://127.0.0.1:8081/v1"), State::Ours);
    assert_eq!(going("http://localhost:4000/v1"), State::Elsewhere { url: "http://localhost:4000/v1".to_owned() });
    assert_eq!(state(&Cline, &world(&[])), State::NotInstalled);
    let lines = Cline.manual(&world(&[]), &intent());
    assert!(
        lines.contains("cline auth -p openai-compatible -b http://127.0.0.1:8081/v1 -k cf_key -m gpt-6-sol\n"),
        "{lines}"
    );
}

#[test]
fn cursor_is_explained() {
    let there = world(&[(".cursor/extensions/x", "")]);
    let target = Cursor.detect(&there).targets.remove(0);
    let conflicts = Cursor.conflicts(&there, &target, &Documents::default(), &intent());
    assert_eq!((conflicts[0].code, conflicts[0].weight), ("loopback_refused", Weight::Blocks));
    assert!(!Cursor.manual(&there, &intent()).contains("cf_key"), "a key would be of no use to it");
    assert_eq!(state(&Cursor, &world(&[])), State::NotInstalled);
}
