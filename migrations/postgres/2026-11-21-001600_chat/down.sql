DROP TABLE chat_messages;
DROP TABLE chat_offers;
DROP TABLE chats;
DROP TABLE chat_visitors;
