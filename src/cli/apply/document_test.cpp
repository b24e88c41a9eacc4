#include "cli/apply/document.hpp"

#include "cli/apply/apply.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;

Result<std::vector<ApplyDocument>> parse(const std::string& text)
{
    return parse_documents(text, "f.yaml", apply_shapes());
}

TEST(ApplyDocuments, are_read_with_their_types_and_places)
{
    const auto documents = parse(R"(# comment
kind: Team
metadata: {name: backend, tenant: acme}
spec:
  members: [zoe, ada]
---
---
kind: Quota
metadata:
  project: web
spec: {storage: 10GiB, artifacts: -1}
---
kind: Project
metadata: {name: "123"}
spec:
  public: true
  metadata: {auto_scan: true}
)")
                               .value();
    ASSERT_EQ(documents.size(), 3U);
    EXPECT_EQ(documents[0].kind, "Team");
    EXPECT_EQ(documents[0].key(), "acme/backend");
    EXPECT_EQ(documents[0].place, "f.yaml:2");
    EXPECT_EQ(documents[0].spec, json::parse(R"({"members":["ada","zoe"]})").as_object());
    EXPECT_EQ(documents[1].key(), "project web");
    EXPECT_EQ(documents[1].place, "f.yaml:8");
    EXPECT_EQ(documents[1].spec, json::parse(R"({"storage":10737418240,"artifacts":-1})").as_object());
    EXPECT_EQ(documents[2].key(), "123");
    EXPECT_EQ(documents[2].spec, json::parse(R"({"public":true,"metadata":{"auto_scan":"true"}})").as_object());
}

TEST(ApplyDocuments, say_every_problem_with_its_line)
{
    const auto documents = parse(R"(kind: Team
metadata: {name: backend, tenat: acme}
spec:
  members: ada
  size: 3
---
kind: Teem
---
kind: Project
metadata: {name: web}
spec: {public: "true", metadata: [a]}
extra: 1
---
kind: Quota
metadata: {project: web}
spec: {storage: much, storage: 1, artifacts: few}
---
kind: Role
metadata: {name: r}
---
spec: {}
---
- list
)");
    ASSERT_FALSE(documents);
    EXPECT_EQ(documents.error().code(), Errc::bad_request);
    EXPECT_EQ(
        documents.error().message(),
        "f.yaml:2: there is no field metadata.tenat\n"
        "f.yaml:2: metadata.tenant is missing\n"
        "f.yaml:4: spec.members must be a list\n"
        "f.yaml:5: there is no field spec.size\n"
        "f.yaml:7: there is no kind Teem\n"
        "f.yaml:11: spec.public must be true or false\n"
        "f.yaml:11: spec.metadata must have fields\n"
        "f.yaml:12: there is no field extra beside kind, metadata and spec\n"
        "f.yaml:16: storage is there twice\n"
        "f.yaml:16: spec.storage must be a size such as 10GiB\n"
        "f.yaml:16: spec.artifacts must be a number\n"
        "f.yaml:18: spec.permissions is missing\n"
        "f.yaml:21: kind is missing\n"
        "f.yaml:23: a document must have fields"
    );
}

TEST(ApplyDocuments, may_be_no_yaml_at_all)
{
    EXPECT_TRUE(parse("a: [").error().message().starts_with("f.yaml:1: "));
    EXPECT_TRUE(parse("kind: Team\nmetadata: {name: a\nspec: {}").error().message().starts_with("f.yaml:"));
    EXPECT_TRUE(parse("").value().empty());
    EXPECT_TRUE(parse("---\n# nothing\n").value().empty());
}

TEST(ApplyDocuments, name_an_object_once)
{
    const auto documents = parse("kind: Tenant\nmetadata: {name: a}\n---\nkind: Tenant\nmetadata: {name: a}\n").value();
    const auto checked = check_unique(documents);
    EXPECT_EQ(checked.error().message(), "f.yaml:4: Tenant a is also in f.yaml:1");
}

TEST(ApplyDocuments, read_back_as_they_were_written)
{
    for (const auto& shape : apply_shapes()) {
        ApplyDocument document{.kind = shape.kind, .metadata = {}, .spec = {}};
        for (const auto& [fields, into] :
             {std::pair{&shape.metadata, &document.metadata}, std::pair{&shape.spec, &document.spec}}) {
            for (const auto& field : *fields) {
                auto& value = (*into)[field.name];
                switch (field.type) {
                    case ApplyType::text: value = "yes: 'it' is #1\n"; break;
                    case ApplyType::boolean: value = false; break;
                    case ApplyType::integer:
                    case ApplyType::size: value = -1; break;
                    case ApplyType::set: value = json::array{"- a", "true"}; break;
                    case ApplyType::list: value = json::array{"?b=x,!y", "a"}; break;
                    case ApplyType::map: value = json::object{{"a.b", "0"}}; break;
                }
            }
        }
        const auto text = document_text(document);
        const auto read = parse(text);
        ASSERT_TRUE(read) << read.error().message() << "\n" << text;
        EXPECT_EQ(read->at(0).metadata, document.metadata) << text;
        EXPECT_EQ(read->at(0).spec, document.spec) << text;
    }
}

}  // namespace
}  // namespace entrepot
